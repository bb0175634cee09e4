import { type MetricName, networkMetricNames } from '../metrics.ts'
import { unitFloor } from './calibrate.ts'
import { medianIndex, Q, quantileLevels } from './quantiles.ts'
import { type Numbers, settle } from './settle.ts'

/** What a CPU's time is made of: together 100 %. */
export const cpuParts = [
  'cpu_user_pct',
  'cpu_sys_pct',
  'cpu_iowait_pct',
  'cpu_idle_pct',
] as const satisfies readonly MetricName[]

/** How far the medians of the parts of a step may be from 100 % together: what is left after rounding to 32 bits. */
export const cpuSumTolerance = 0.01

const low = quantileLevels.indexOf(0.1)
const high = quantileLevels.indexOf(0.9)
const floors = cpuParts.map((name) => unitFloor[networkMetricNames.indexOf(name)]!)

/**
 * Makes the medians of user, system, I/O wait and idle of each step sum to 100 %, in place, and settles the four. What
 * is missing is shared out by the square of each band's width, as least squares do it for errors that are independent
 * (weighted least squares reconciliation, Wickramasuriya, Athanasopoulos & Hyndman 2019): who knows least moves most.
 * A metric moves with all its quantiles. Measured: model-training/LOG.md, "Calibration". Without all four nothing is done.
 */
export function balanceParts(of: (name: MetricName) => Numbers | undefined): void {
  const parts = cpuParts.map(of).filter((one) => one !== undefined)
  if (parts.length < cpuParts.length) return
  for (let at = 0; at < parts[0]!.quantiles.length; at += Q) balanceStep(parts, at)
  for (const [i, name] of cpuParts.entries()) settle(parts[i]!, name)
}

function balanceStep(parts: readonly Numbers[], at: number): void {
  const medians = parts.map(({ quantiles }) => quantiles[at + medianIndex]!)
  const weights = parts.map(
    ({ quantiles }, i) => (quantiles[at + high]! - quantiles[at + low]! + floors[i]!) ** 2,
  )
  const free = new Set(parts.keys())
  let missing = 100 - medians.reduce((sum, median) => sum + median, 0)
  // A part that reaches 0 or 100 % stops there, and the others take what it could not.
  for (let round = 0; round < parts.length && Math.abs(missing) > 1e-6; round++) {
    const all = [...free].reduce((sum, i) => sum + weights[i]!, 0)
    let moved = 0
    for (const i of [...free]) {
      const wanted = medians[i]! + (missing * weights[i]!) / all
      const reached = Math.min(100, Math.max(0, wanted))
      if (reached !== wanted) free.delete(i)
      moved += reached - medians[i]!
      medians[i] = reached
    }
    missing -= moved
  }
  for (const [i, { quantiles }] of parts.entries()) {
    const by = medians[i]! - quantiles[at + medianIndex]!
    for (let q = 0; q < Q; q++) quantiles[at + q] = quantiles[at + q]! + by
  }
}
