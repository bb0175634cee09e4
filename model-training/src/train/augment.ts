import { networkMetricNames } from '@harbinger/shared/metrics'
import {
  historySteps,
  horizonSteps,
  recentWidth,
  V,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import type { TruthBatch } from '../windows/truth.ts'

const indexOf = (names: readonly string[]): readonly number[] =>
  names.map((name) => (networkMetricNames as readonly string[]).indexOf(name))

/** Metrics that are missing together where they are missing: no JVM, no swap, no socket or network collector. */
const groups = [
  ['java_cpu_pct'],
  ['swap_used_pct'],
  ['mem_used_pct', 'swap_used_pct'],
  ['back_close_wait', 'front_close_wait'],
  ['net_in_mb_s', 'net_out_mb_s'],
  ['load_average'],
  ['java_cpu_pct', 'mem_used_pct', 'swap_used_pct', 'back_close_wait', 'front_close_wait'],
].map(indexOf)

/** Shares of training windows that get each hardship. */
export const hardships = {
  shortHistory: 0.25,
  fewerDays: 0.15,
  unknownProfile: 0.4,
  unknownHardware: 0.3,
  missingMetrics: 0.2,
  gap: 0.2,
} as const

/** How many minutes of history a window keeps: undefined leaves all there are. */
export function drawHistoryMinutes(random: () => number): number | undefined {
  const kind = random()
  if (kind < hardships.shortHistory) return Math.round(15 * (48 * 4) ** random())
  if (kind < hardships.shortHistory + hardships.fewerDays) {
    return Math.round(1440 * (1 + 6 * random()))
  }
  return undefined
}

/** Takes away what a real server may lack: whole metrics, and a stretch of the past. The baseline is not redone here. */
export function addHardship(
  batch: WindowBatch & TruthBatch,
  row: number,
  random: () => number,
): void {
  const missing = random() < hardships.missingMetrics
  const gap = random() < hardships.gap
  if (missing) {
    const count = random() < 0.7 ? 1 : 2
    for (let i = 0; i < count; i++) {
      const group = groups[Math.floor(random() * groups.length)]!
      for (const v of group) dropMetric(batch, row, v)
    }
  }
  if (gap) {
    // Never the last hour: a window ends now, or there is no forecast.
    const length = 1 + Math.floor(random() * random() * 48)
    const start = Math.floor(random() * (historySteps - 4 - length))
    dropSteps(batch, row, start, start + length)
  }
}

function dropMetric(batch: WindowBatch & TruthBatch, row: number, v: number): void {
  for (let t = 0; t < historySteps; t++) {
    const k = (row * historySteps + t) * V + v
    batch.past[2 * k] = 0
    batch.past[2 * k + 1] = 0
    batch.pastKnown[k] = 0
    batch.seasonalPast[k] = 0
    batch.seasonalPastKnown[k] = 0
  }
  for (let f = 0; f < horizonSteps; f++) {
    const k = (row * horizonSteps + f) * V + v
    batch.seasonal[k] = 0
    batch.seasonalKnown[k] = 0
    batch.yesterday[k] = 0
    batch.yesterdayKnown[k] = 0
    // Nobody asks for the forecast of a metric that does not exist.
    batch.truthKnown[k] = 0
  }
  for (let p = 0; p < 3; p++) batch.peakKnown[(row * 3 + p) * V + v] = 0
  batch.recent.fill(0, (row * V + v) * recentWidth, (row * V + v + 1) * recentWidth)
}

function dropSteps(batch: WindowBatch, row: number, from: number, to: number): void {
  batch.past.fill(0, (row * historySteps + from) * V * 2, (row * historySteps + to) * V * 2)
  batch.pastKnown.fill(0, (row * historySteps + from) * V, (row * historySteps + to) * V)
}
