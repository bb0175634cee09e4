import { metricNames } from '@harbinger/shared/metrics'
import type { Series } from '@harbinger/shared/window/series'

const width = metricNames.length
const maxMinutes = 15
const day = 24 * 60

/**
 * The minutes from one sample to the next: the median gap between measured minutes of the last day, so that neither
 * an outage nor a short burst decides it. 1 until there are three to judge by.
 */
export function estimateInterval(series: Series): number {
  const gaps = new Uint32Array(maxMinutes + 1)
  let seen = 0
  let previous = -1
  for (let m = Math.max(0, series.lastMinute - day); m <= series.lastMinute; m++) {
    const cell = (m % series.minuteCapacity) * width
    if (!isMeasured(series, cell)) continue
    if (previous >= 0) {
      const gap = Math.min(maxMinutes, m - previous)
      gaps[gap] = gaps[gap]! + 1
      seen++
    }
    previous = m
  }
  if (seen < 2) return 1
  let below = 0
  for (let gap = 1; gap <= maxMinutes; gap++) {
    below += gaps[gap]!
    if (2 * below >= seen) return gap
  }
  return maxMinutes
}

function isMeasured(series: Series, cell: number): boolean {
  for (let i = 0; i < width; i++) if (series.count[cell + i]! > 0) return true
  return false
}
