import { availableParallelism } from 'node:os'
import { reportedFleet, reportedFrom, stretch } from '../base-model/sources.ts'
import { decilesText, furthestDecile } from '../calibration/deciles.ts'
import type { Stretch } from '../calibration/collect.ts'
import { type CalibrationReport, judgeCalibration } from '../calibration/judge.ts'
import { loadHistory } from '../history/load-history.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { readCalibration, readManifest } from '../model/calibration-file.ts'
import { baseModelFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { cpuSumTolerance } from '@harbinger/shared/forecast/balance'
import type { BenchFigure } from './train-bench.ts'

type Options = {
  readonly small: boolean
  /** A real history, judged beside the simulated fleet from its day 25 on. */
  readonly history?: string | undefined
  readonly model?: string | undefined
  /** The instant that the figures carry. */
  readonly at: string
  readonly warn: (sentence: string) => void
}

const dayMs = 86_400_000

/** Whether bands hold and chances come true as often as they say, of the calibration in a model's folder. */
export async function benchCalibration(options: Options): Promise<readonly BenchFigure[]> {
  const { small, history, model = baseModelFolder, at, warn } = options
  const calibration = readCalibration(model)
  if ('refused' in calibration) throw new Error(`${model}: ${calibration.refused}`)
  const { serves } = readManifest(model)
  const inference = await openInference(model)
  const judged = async (of: Stretch): Promise<BenchFigure[]> => {
    const every = small ? 240 : 60
    const report = await judgeCalibration({ ...of, calibration, inference, serves, every })
    return figuresOf(report, {
      ...{ cores: availableParallelism(), device: 'cpu', node: process.version, at },
      ...{ history: report.history, from: report.from, to: report.to, everyMinutes: every },
    })
  }
  try {
    const figures = await judged(small ? smallFleet() : fleet())
    if (history === undefined) {
      warn('calibration: no --history FILE, so the bars on a real history are NOT measured')
      return figures
    }
    const real = await loadHistory(history, { onWarning: warn })
    return [...figures, ...(await judged(stretch(real, real.from + reportedFrom * dayMs)))]
  } finally {
    await inference.close()
  }
}

function fleet(): Stretch {
  const all = reportedFleet()
  return stretch(all, all.from + 8 * dayMs)
}

function smallFleet(): Stretch {
  const size = { servers: 7, days: 4, seed: 80, startAt: Date.UTC(2025, 4, 5) }
  const all = simulatedHistory({ ...size, heldOutFaults: true })
  return stretch(all, all.from + 2 * dayMs)
}

function figuresOf(
  report: CalibrationReport,
  conditions: BenchFigure['conditions'],
): BenchFigure[] {
  const { before, fitted, after, chances, cpuSums, history } = report
  const gap = furthestDecile(chances.ownPast.after)
  const ratio = after.wql / before.wql
  const stages = (of: (one: typeof after) => number) => ({
    beside: { before: of(before), fitted: of(fitted), adapted: of(after) },
  })
  return [
    {
      name: `buckets on ${history} whose 80 % band holds 77 to 83 %`,
      ...{
        figure: told(after.share),
        unit: 'of those with 200 points',
        bar: 1,
        ok: after.share >= 1,
      },
      ...{ ...stages(({ share }) => share), conditions },
    },
    {
      name: `peak buckets on ${history} whose 80 % band holds 77 to 83 %`,
      ...{ figure: told(after.peakShare), unit: 'of those with 200 points', bar: 1 },
      ...{ ok: after.peakShare >= 1, ...stages(({ peakShare }) => peakShare), conditions },
    },
    {
      name: `worst decile of chances on ${history}, said against came`,
      // What cannot be told is not reached.
      ...{
        figure: 100 * (gap ?? 1),
        unit: 'points',
        bar: '≤ 5',
        ok: gap !== undefined && gap <= 0.05,
      },
      beside: {
        before: decilesText(chances.ownPast.before),
        adapted: decilesText(chances.ownPast.after),
      },
      conditions,
    },
    {
      name: `WQL on ${history}, calibrated`,
      ...{ figure: Number(ratio.toFixed(4)), unit: '× raw', bar: '≤ 1', ok: ratio <= 1 },
      ...{ ...stages(({ wql }) => wql), conditions },
    },
    {
      name: `CPU parts on ${history}: |sum of medians − 100|, 95 % of steps within`,
      ...{ figure: cpuSums.after.p95, unit: 'points', bar: `≤ ${cpuSumTolerance}` },
      ok: cpuSums.after.steps > 0 && cpuSums.after.p95 <= cpuSumTolerance,
      ...{ beside: { before: cpuSums.before, adapted: cpuSums.after }, conditions },
    },
  ]
}

/** Without a bucket of 200 points nothing can be told, which is not reached: 0 (the small form; it is not recorded). */
const told = (share: number): number => (Number.isFinite(share) ? share : 0)
