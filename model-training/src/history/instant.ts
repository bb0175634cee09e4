/** 2026-01-05T00:00:00Z, with a blank for the T and with or without fraction and offset; none means UTC. */
const isoTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i
/** Smaller whole numbers are no plausible milliseconds since 1970, but seconds. */
const smallestMs = 1e11

/** ms since the epoch, or undefined when `cell` is no time. */
export function toInstant(cell: unknown): number | undefined {
  if (typeof cell === 'number') return isPlausible(cell) ? cell : undefined
  if (typeof cell === 'bigint') return toInstant(Number(cell))
  if (cell instanceof Date) {
    const at = cell.getTime()
    return Number.isNaN(at) ? undefined : at
  }
  if (typeof cell !== 'string') return undefined
  const text = cell.trim()
  if (/^\d{12,14}$/.test(text)) return toInstant(Number(text))
  const match = isoTime.exec(text)
  if (!match) return undefined
  const at = Date.parse(
    match[4] || !match[1] ? text.replace(' ', 'T') : `${text.replace(' ', 'T')}Z`,
  )
  return Number.isNaN(at) || at < 0 ? undefined : at
}

const isPlausible = (at: number): boolean => Number.isFinite(at) && at >= smallestMs && at < 1e14
