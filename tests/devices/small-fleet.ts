import { addSample, emptySeries, minuteMs } from '@harbinger/shared/window/series'
import { fillWindow } from '@harbinger/shared/window/window'
import { windowBatch } from '@harbinger/shared/window/window-batch'
import type { FleetToForecast } from '../../hub/src/forecast/forecaster.ts'

const now = Date.parse('2026-03-12T10:00:00Z')

/** `size` servers with ten hours of history each, no two alike. */
export function smallFleet(size: number): FleetToForecast {
  const batch = windowBatch(size)
  let windowEnd = 0
  const rows = Array.from({ length: size }, (_, row) => {
    const series = emptySeries()
    for (let m = 600; m > 0; m--) {
      const busy = 30 + 20 * Math.sin((m + 50 * row) / 90)
      addSample(series, now - m * minuteMs, {
        ...{ cpu_user_pct: busy, cpu_sys_pct: 5, cpu_iowait_pct: 1, cpu_idle_pct: 94 - busy },
        ...{ mem_used_pct: 40 + row, net_in_mb_s: 3, net_out_mb_s: 2, load_average: busy / 10 },
      })
    }
    const context = { profile: 'database', cores: 8 } as const
    windowEnd = fillWindow(batch, row, { series, now, context })
    return { server: `srv${row}`, series }
  })
  return { batch, rows, windowEnd, issuedAt: now }
}
