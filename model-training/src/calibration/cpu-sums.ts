import { cpuParts } from '@harbinger/shared/forecast/balance'
import { medianIndex, Q } from '@harbinger/shared/forecast/quantiles'
import type { Numbers } from '@harbinger/shared/forecast/settle'
import type { MetricName } from '@harbinger/shared/metrics'

/** Of |user + system + I/O wait + idle − 100| over steps, in percentage points. */
export type CpuSums = { readonly steps: number; readonly p95: number; readonly furthest: number }

/** Hundredths of a point, the last for all beyond. */
const places = 10_001

/** Counts how far the medians of the parts of a CPU's time are from 100 %. */
export function sumCount() {
  const counts = new Uint32Array(places)
  let steps = 0
  let furthest = 0
  return {
    add(of: (name: MetricName) => Numbers | undefined): void {
      const parts = cpuParts.map(of).filter((one) => one !== undefined)
      if (parts.length < cpuParts.length) return
      for (let at = medianIndex; at < parts[0]!.quantiles.length; at += Q) {
        const off = Math.abs(parts.reduce((sum, part) => sum + part.quantiles[at]!, 0) - 100)
        counts[Math.min(places - 1, Math.floor(100 * off))]!++
        furthest = Math.max(furthest, off)
        steps++
      }
    },
    report(): CpuSums {
      let place = 0
      for (let seen = counts[0]!; seen < 0.95 * steps; seen += counts[place]!) place++
      const p95 = steps === 0 ? 0 : Math.min(furthest, (place + 1) / 100)
      return { steps, p95: Number(p95.toFixed(4)), furthest: Number(furthest.toFixed(4)) }
    },
  }
}
