import { balanceParts } from '@harbinger/shared/forecast/balance'
import { openCalibration } from '@harbinger/shared/forecast/calibrate'
import { bucketOfStep, type Calibration } from '@harbinger/shared/forecast/calibration'
import type { CalibratorState } from '@harbinger/shared/forecast/calibrator'
import { breachChance, type Curve } from '@harbinger/shared/forecast/chance'
import { curveIn } from '@harbinger/shared/forecast/chance-curves'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { type Numbers, settle } from '@harbinger/shared/forecast/settle'
import { criticalLimit, isPast, worsens } from '@harbinger/shared/limits'
import { type MetricName, networkMetricNames } from '@harbinger/shared/metrics'
import { choiceOf, type ContenderName, type Manifest } from '@harbinger/shared/model'
import { horizonSteps as F, V } from '@harbinger/shared/window/window-batch'
import type { ServerHistory } from '../history/fleet-history.ts'
import type { Inference } from '../onnx/inference.ts'
import { type CoverageReport, coverageCount } from './buckets.ts'
import { collect, type Collected, type Stretch } from './collect.ts'
import { type Decile, decileCount } from './deciles.ts'
import { type CpuSums, sumCount } from './cpu-sums.ts'
import { metricNumbers, pickMetric } from './pick-metric.ts'
import { replay } from './replay.ts'
import { servingBaselines } from './serving-baselines.ts'
import { dailyThresholds, thresholdsOf } from './thresholds.ts'

export type CalibrationReport = {
  readonly history: string
  readonly from: string
  readonly to: string
  /** As the contenders say it; corrected by what was fitted; and then adapted to matured truth, as a hub serves it. */
  readonly before: CoverageReport
  readonly fitted: CoverageReport
  readonly after: CoverageReport
  /** How far the medians of user, system, I/O wait and idle of a step are from 100 % together (percentage points). */
  readonly cpuSums: { readonly before: CpuSums; readonly after: CpuSums }
  /** Chance of reaching a threshold within 1, 4 and 8 h against how often it came. */
  readonly chances: {
    /** Thresholds at the 90, 95 and 98 % quantile of each server's own past. */
    readonly ownPast: { readonly before: readonly Decile[]; readonly after: readonly Decile[] }
    /** Critical limits. */
    readonly limits: { readonly before: readonly Decile[]; readonly after: readonly Decile[] }
  }
}

export type JudgeOptions = Stretch & {
  readonly calibration: Calibration
  readonly inference: Inference | undefined
  /** Who serves; undefined: the model everywhere. */
  readonly serves?: Manifest['serves'] | undefined
  /** Only these metrics; default all. */
  readonly metrics?: readonly MetricName[] | undefined
  /** What a calibrator had learnt before. */
  readonly learnt?: CalibratorState | undefined
  /** Minutes between origins; default 60. */
  readonly every?: number
  readonly gain?: number | undefined
  readonly onProgress?: ((share: number) => void) | undefined
}

const P = peakMinutes.length
const stages = ['before', 'fitted', 'after'] as const
/** Undefined: the metric is not judged. */
type Contender = ContenderName | undefined

type Said = {
  readonly row: number
  readonly v: number
  readonly stage: (typeof stages)[number]
  readonly numbers: Numbers
  readonly server: ServerHistory
  readonly curve: Curve
}

/** What the bands held and the chances were worth on days nobody learnt from: before, and as a hub serves them. */
export async function judgeCalibration(options: JudgeOptions): Promise<CalibrationReport> {
  const { history, from, to, calibration, serves, learnt, gain } = options
  const thresholds = history.servers.map(({ series }) => thresholdsOf(series, from))
  const daily = dailyThresholds(history)
  const calibrate = openCalibration(calibration)
  const counts = { before: coverageCount(), fitted: coverageCount(), after: coverageCount() }
  const deciles = { own: both(), limits: both() }
  const adaptation = replay(learnt, { gain })
  const all = networkMetricNames.map(() => metricNumbers())
  const sums = { before: sumCount(), fitted: sumCount(), after: sumCount() }

  function addRow(collected: Collected, row: number, contenders: readonly Contender[]): void {
    const { said, places } = collected
    const { server, index, end } = places[row]!
    const { profile } = server
    for (const stage of stages) {
      const adapted = stage === 'after' ? adaptation.adapted() : undefined
      const sound = networkMetricNames.map((metric, v) => {
        const contender = contenders[v]
        if (!contender) return false
        const numbers = pickMetric(said.get(contender)!, row, v, all[v])
        if (stage !== 'before') calibrate(numbers, { contender, profile, v }, adapted?.bands)
        return settle(numbers, metric)
      })
      const numbersOf = (name: MetricName) => {
        const v = networkMetricNames.indexOf(name as never)
        return sound[v] ? all[v] : undefined
      }
      if (stage !== 'before') balanceParts(numbersOf)
      sums[stage].add(numbersOf)
      for (const [v, numbers] of all.entries()) {
        if (!sound[v]) continue
        const place = { contender: contenders[v]!, profile, v }
        const curve = adapted && curveIn(adapted.curves, place)
        addMetric(collected, { row, v, stage, numbers, server, curve })
        if (stage !== 'after') continue
        const thresholds = daily(index, end)[v]!
        adaptation.wait({ place, end, numbers, thresholds, truth: collected.truth, row })
      }
    }
  }

  function addMetric({ truth, places }: Collected, said: Said): void {
    const { row, v, stage, numbers, server, curve } = said
    const metric = networkMetricNames[v]!
    const profile = server.profile ?? 'unknown'
    const own = thresholds[places[row]!.index]![v]!
    const limit = criticalLimit(server.profile ?? 'generic', metric, server)
    const count = counts[stage]
    for (let f = 0; f < F; f++) {
      const k = (row * F + f) * V + v
      if (truth.truthKnown[k] === 0) continue
      const of = { profile, v, target: 'step', bucket: bucketOfStep(f) } as const
      count.add(numbers.quantiles, f * Q, { ...of, truth: truth.truth[k]! })
    }
    for (let p = 0; p < P; p++) {
      const k = (row * P + p) * V + v
      if (truth.peakKnown[k] === 0) continue
      const worst = truth.peakTruth[k]!
      count.add(numbers.peaks, p * Q, { profile, v, target: 'peak', bucket: p, truth: worst })
      if (stage === 'fitted') continue
      const tell = (into: ReturnType<typeof both>, threshold: number): void => {
        const direction = worsens(metric)
        const of = { threshold, worsens: direction, offset: p * Q, curve }
        into[stage].add(breachChance(numbers.peaks, of), isPast(metric, worst, threshold))
      }
      for (const threshold of own) tell(deciles.own, threshold)
      if (limit !== undefined) tell(deciles.limits, limit)
    }
  }

  const baselines = servingBaselines(serves)
  await collect(options, { ...options, baselines }, (collected) => {
    for (let row = 0; row < collected.size; row++) {
      adaptation.turn(collected.places[row]!.end)
      const { profile } = collected.places[row]!.server
      const contenders = networkMetricNames.map((metric): Contender => {
        if (options.metrics && !options.metrics.includes(metric)) return undefined
        const choice = serves && choiceOf(serves, metric, profile)?.contender
        const wanted = serves ? (choice ?? 'seven-day-mean-level') : 'model'
        return collected.said.has(wanted) ? wanted : 'seven-day-mean-level'
      })
      addRow(collected, row, contenders)
    }
  })

  return {
    ...{ history: history.name, from: iso(from), to: iso(to) },
    before: counts.before.report(),
    fitted: counts.fitted.report(),
    after: counts.after.report(),
    cpuSums: { before: sums.before.report(), after: sums.after.report() },
    chances: {
      ownPast: { before: deciles.own.before.report(), after: deciles.own.after.report() },
      limits: { before: deciles.limits.before.report(), after: deciles.limits.after.report() },
    },
  }
}

const both = () => ({ before: decileCount(), after: decileCount() })
const iso = (at: number): string => new Date(at).toISOString()
