import { K, toCode, unknownCode, columns } from './features.ts'

/** Two weeks. */
export const ringHours = 14 * 24
/** Memory for one server: 336 hours of 9 bytes. */
export const ringBytes = ringHours * K

/** One quarter of an hour: mean per metric of the contract and how many of its minutes were measured. */
export type Quarter = { readonly mean: Float32Array; readonly known: Uint8Array }

export type HourRing = ReturnType<typeof hourRing>

/** The hourly means of one server over the last two weeks, one byte each; older hours fall off. */
export function hourRing() {
  const codes = new Uint8Array(ringBytes).fill(unknownCode)
  const sums = new Float64Array(K)
  const weights = new Float64Array(K)
  /** The hour after the newest that has a place. */
  let end = 0

  function reach(hour: number): void {
    if (hour < end) return
    for (let h = Math.max(end, hour + 1 - ringHours); h <= hour; h++) {
      const at = (h % ringHours) * K
      codes.fill(unknownCode, at, at + K)
    }
    end = hour + 1
  }

  return {
    codes,
    end: (): number => end,
    /** Writes an hour from its quarters; those that nobody measured are undefined. */
    put(hour: number, quarters: readonly (Quarter | undefined)[]): void {
      if (hour < end - ringHours) return
      reach(hour)
      sums.fill(0)
      weights.fill(0)
      for (const quarter of quarters) {
        if (!quarter) continue
        for (let k = 0; k < K; k++) {
          const known = quarter.known[columns[k]!]!
          if (known === 0) continue
          sums[k] = sums[k]! + known * quarter.mean[columns[k]!]!
          weights[k] = weights[k]! + known
        }
      }
      const at = (hour % ringHours) * K
      for (let k = 0; k < K; k++) {
        codes[at + k] = weights[k] === 0 ? unknownCode : toCode(sums[k]! / weights[k]!, k)
      }
    },
  }
}
