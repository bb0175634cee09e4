import { peakMinutes, Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { fewestPoints } from '@harbinger/shared/forecast/calibration'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { horizons } from '../backtest/slices.ts'

const low = quantileLevels.indexOf(0.1)
const high = quantileLevels.indexOf(0.9)
/** The share of truth that the 80 % band is to hold. */
export const inBand = [0.77, 0.83] as const

type Sums = { points: number; covered: number; width: number }

export type BucketReport = {
  readonly profile: string
  readonly metric: string
  readonly target: 'step' | 'peak'
  readonly horizon: string
  readonly points: number
  readonly coverage80: number
  readonly width80: number
}

export type CoverageReport = {
  /** Weighted quantile loss of the steps, the plain mean over metrics. */
  readonly wql: number
  readonly coverage80: number
  /** Buckets of steps with at least 200 points, and the share of them of which the band holds 77 to 83 %. */
  readonly buckets: number
  readonly share: number
  readonly peakBuckets: number
  readonly peakShare: number
  readonly byBucket: readonly BucketReport[]
}

/** Counts what bands hold, per profile × metric × horizon, and the weighted quantile loss. */
export function coverageCount() {
  const sums = new Map<string, Sums>()
  const loss = networkMetricNames.map(() => ({ pinball: 0, truth: 0 }))

  return {
    add(
      values: ArrayLike<number>,
      at: number,
      of: {
        readonly profile: string
        readonly v: number
        readonly target: 'step' | 'peak'
        readonly bucket: number
        readonly truth: number
      },
    ): void {
      const { profile, v, target, bucket, truth } = of
      const key = [profile, v, target, bucket].join(' ')
      let sum = sums.get(key)
      if (!sum) sums.set(key, (sum = { points: 0, covered: 0, width: 0 }))
      sum.points++
      if (truth >= values[at + low]! && truth <= values[at + high]!) sum.covered++
      sum.width += values[at + high]! - values[at + low]!
      if (target === 'peak') return
      const { [v]: metric } = loss
      metric!.truth += Math.abs(truth)
      for (const q of [low, (Q - 1) / 2, high]) {
        const miss = truth - values[at + q]!
        metric!.pinball += Math.max(quantileLevels[q]! * miss, (quantileLevels[q]! - 1) * miss)
      }
    },

    report(): CoverageReport {
      const byBucket = [...sums].map(([key, { points, covered, width }]): BucketReport => {
        const [profile, v, target, bucket] = key.split(' ')
        return {
          profile: profile!,
          metric: networkMetricNames[Number(v)]!,
          target: target as 'step' | 'peak',
          horizon:
            target === 'step'
              ? horizons[Number(bucket)]!.name
              : `${peakMinutes[Number(bucket)]! / 60}h`,
          points,
          coverage80: rounded(covered / points),
          width80: rounded(width / points),
        }
      })
      const judged = (target: string) =>
        byBucket.filter((one) => one.target === target && one.points >= fewestPoints)
      const shareOf = (some: readonly BucketReport[]): number =>
        rounded(
          some.filter((b) => b.coverage80 >= inBand[0] && b.coverage80 <= inBand[1]).length /
            some.length,
        )
      const each = loss.filter(({ truth }) => truth > 0).map((l) => (2 * l.pinball) / (3 * l.truth))
      const steps = judged('step')
      const points = steps.reduce((sum, b) => sum + b.points, 0)
      return {
        wql: rounded(each.reduce((a, b) => a + b, 0) / each.length),
        coverage80: rounded(steps.reduce((sum, b) => sum + b.coverage80 * b.points, 0) / points),
        buckets: steps.length,
        share: shareOf(steps),
        peakBuckets: judged('peak').length,
        peakShare: shareOf(judged('peak')),
        byBucket,
      }
    },
  }
}

const rounded = (value: number): number => Number(value.toFixed(5))
