import type { Samples } from '@harbinger/shared/api'
import { type MetricName, metricNames } from '@harbinger/shared/metrics'
import type { Retention } from './retention.ts'
import type { RollupStore } from './rollup-store.ts'
import type { SampleStore } from './sample-store.ts'

/** More points than a screen has pixels help nobody. */
export const maxPoints = 2000

const width = metricNames.length
const dayMs = 86_400_000
const niceSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600]

export type SamplesRange = {
  readonly from: number
  readonly to: number
  readonly stepSeconds?: number
}

type Tier = Samples['tier']

/** The finest step that keeps within the points allowed, not finer than was asked for. */
export function chooseStep({ from, to, stepSeconds = 1 }: SamplesRange): number {
  const least = Math.max(stepSeconds, (to - from) / 1000 / (maxPoints - 1))
  return niceSteps.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400
}

/** The coarsest tier that still shows each step, among those that reach back far enough. */
export function chooseTier(
  { from, stepSeconds }: { from: number; stepSeconds: number },
  { now, retention }: { now: number; retention: Retention },
): Tier {
  if (stepSeconds >= 900 || from < now - retention.minuteDays * dayMs) return 'quarter'
  if (stepSeconds >= 60 || from < now - retention.rawDays * dayMs) return 'minute'
  return 'raw'
}

/** Columns of one server's readings: mean and max per step, from the tier that fits; steps without a reading left out. */
export function samplesQuery(
  { samples, rollups }: { readonly samples: SampleStore; readonly rollups: RollupStore },
  retention: Retention,
) {
  return (
    { id, name }: { readonly id: number; readonly name: string },
    range: SamplesRange,
    now: number,
  ): Samples => {
    const wanted = chooseStep(range)
    const tier = chooseTier({ from: range.from, stepSeconds: wanted }, { now, retention })
    const stepSeconds = Math.max(wanted, tier === 'quarter' ? 900 : tier === 'minute' ? 60 : 1)
    const step = stepSeconds * 1000
    const sums = columns(range, step)
    if (tier === 'raw') {
      samples.each(id, range, (at, readings) => sums.add(at, { mean: readings, max: readings }))
    } else if (tier === 'minute') {
      rollups.eachMinute(id, inSteps(range, 60_000), (minute, { mean, max, count }) =>
        sums.add(minute * 60_000, { mean, max, weight: count }),
      )
    } else {
      rollups.eachQuarter(id, inSteps(range, 900_000), (quarter, { mean, max, known }) =>
        sums.add(quarter * 900_000, { mean, max, weight: known }),
      )
    }
    return {
      server: name,
      from: new Date(range.from).toISOString(),
      to: new Date(range.to).toISOString(),
      stepSeconds,
      tier,
      ...sums.result(),
    }
  }
}

const inSteps = ({ from, to }: SamplesRange, ms: number) => ({
  from: Math.floor(from / ms),
  to: Math.ceil(to / ms),
})

type Cells = {
  readonly mean: Float32Array
  readonly max: Float32Array
  readonly weight?: Uint16Array | Uint8Array
}

function columns({ from, to }: SamplesRange, step: number) {
  const first = Math.floor(from / step)
  const n = Math.max(0, Math.ceil(to / step) - first)
  const sum = new Float64Array(n * width)
  const weight = new Float64Array(n * width)
  const max = new Float64Array(n * width)

  return {
    add(at: number, cells: Cells): void {
      // The first row of a tier may begin a little before the range.
      const bucket = Math.max(0, Math.floor(at / step) - first)
      if (bucket >= n) return
      for (let i = 0; i < width; i++) {
        const w = cells.weight ? cells.weight[i]! : 1
        const mean = cells.mean[i]!
        if (w === 0 || Number.isNaN(mean)) continue
        const k = bucket * width + i
        max[k] = weight[k] === 0 ? cells.max[i]! : Math.max(max[k]!, cells.max[i]!)
        sum[k] = sum[k]! + w * mean
        weight[k] = weight[k]! + w
      }
    },
    result(): Pick<Samples, 'at' | 'metrics'> {
      const present: number[] = []
      for (let b = 0; b < n; b++) {
        if (weight.subarray(b * width, (b + 1) * width).some((w) => w > 0)) present.push(b)
      }
      const metrics: {
        [name in MetricName]?: { mean: (number | null)[]; max: (number | null)[] }
      } = {}
      for (const [i, name] of metricNames.entries()) {
        if (!present.some((b) => weight[b * width + i]! > 0)) continue
        const column = (value: (k: number) => number) =>
          present.map((b) => (weight[b * width + i] === 0 ? null : round(value(b * width + i))))
        metrics[name] = { mean: column((k) => sum[k]! / weight[k]!), max: column((k) => max[k]!) }
      }
      return { at: present.map((b) => new Date((first + b) * step).toISOString()), metrics }
    },
  }
}

/** Four decimals: more than float32 and the screen hold, less than JSON would write. */
const round = (x: number): number => Math.round(x * 1e4) / 1e4
