/** Deciles with fewer cases show chance, not calibration. */
export const fewestCases = 200
/** How far what was said may be from what came, as a share. */
export const tolerance = 0.05

export type Decile = {
  readonly from: number
  readonly cases: number
  readonly said: number
  readonly came: number
}

/** Counts how often came true what was said with a chance, in ten steps of chance. */
export function decileCount() {
  const sums = Array.from({ length: 10 }, () => ({ cases: 0, said: 0, came: 0 }))
  return {
    add(chance: number, came: boolean): void {
      const sum = sums[Math.min(9, Math.floor(chance * 10))]!
      sum.cases++
      sum.said += chance
      if (came) sum.came++
    },
    report: (): readonly Decile[] =>
      sums.map(({ cases, said, came }, i) => ({
        from: i / 10,
        cases,
        said: cases > 0 ? Number((said / cases).toFixed(4)) : 0,
        came: cases > 0 ? Number((came / cases).toFixed(4)) : 0,
      })),
  }
}

/** `15→12 24→20 …`: per cent said and come, of the deciles with enough cases. */
export const decilesText = (deciles: readonly Decile[]): string =>
  deciles
    .filter(({ cases }) => cases >= fewestCases)
    .map(({ said, came }) => `${Math.round(100 * said)}→${Math.round(100 * came)}`)
    .join(' ')

/** The largest distance among deciles with enough cases; undefined when none has. */
export function furthestDecile(deciles: readonly Decile[]): number | undefined {
  const judged = deciles.filter(({ cases }) => cases >= fewestCases)
  if (judged.length === 0) return undefined
  return Math.max(...judged.map(({ said, came }) => Math.abs(said - came)))
}
