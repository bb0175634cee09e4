import type { Forecast } from '@harbinger/shared/api'
import type { WhatIf, WhatIfRequest } from '@harbinger/shared/explanation'
import { cpuParts, type MetricName, metricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { fillWindow } from '@harbinger/shared/window/window'
import { windowBatch } from '@harbinger/shared/window/window-batch'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { Server } from '../storage/server-store.ts'
import type { Assessed } from '../view/assess-server.ts'
import { toForecastAnswer } from '../view/forecast-answer.ts'
import { type AskedServer, type Assess, contextOf, type Examine } from './asked-server.ts'
import { editReadings, editSeries, unmeasured } from './edit-readings.ts'
import { refuseWhatIf } from './refuse-what-if.ts'
import { type Side, whatIfText } from './what-if-text.ts'

/** A question that is not answered: `invalid` is the asker's to mend, `conflict` is how the server is now. */
export type Refused = { readonly refused: string; readonly kind: 'invalid' | 'conflict' }

/**
 * The forecast of a server as it is, and as it would be had the last minutes been otherwise; both made now, by the
 * same forecasters in the same run, so that what differs is the change alone.
 */
export async function whatIf(
  asked: AskedServer,
  request: WhatIfRequest,
  { examine, assess }: { readonly examine: Examine; readonly assess: Assess },
): Promise<Omit<WhatIf, 'tookMs'> | Refused> {
  const invalid = refuseWhatIf(request)
  if (invalid) return { refused: invalid, kind: 'invalid' }
  const { server, series, now, instead, abstained } = asked
  const { changes = [], minutes = 60 } = request
  const end = Math.floor(now / minuteMs)
  if (abstained !== undefined) {
    return {
      refused: `there is no forecast of ${server.name} to compare with: ${abstained}`,
      kind: 'conflict',
    }
  }
  const [missing] = unmeasured(series, { changes, minutes, end })
  if (missing) {
    return {
      refused: `body changes.${changes.indexOf(missing)}.metric: ${missing.metric} was not measured in the last ${minutes} minutes, so there is nothing to change`,
      kind: 'invalid',
    }
  }
  const edited: AskedServer = {
    ...{ server: editServer(server, request), now, instead, abstained },
    series: changes.length > 0 ? editSeries(series, { changes, minutes, end }) : series,
  }
  const batch = windowBatch(2)
  const both = [asked, edited]
  let windowEnd = 0
  both.forEach((one, row) => {
    windowEnd = fillWindow(batch, row, { ...one, context: contextOf(one.server) })
  })
  const rows = both.map((one) => ({ server: server.name, series: one.series, instead }))
  const { forecasts } = await examine({ batch, rows, windowEnd, issuedAt: now })
  const [before, after] = both.map((one, i) => side(assess(one, forecasts[i]!), forecasts[i]!))
  const difference = differenceOf(before!.forecast, after!.forecast)
  const told = { before: before!, after: after!, changes, minutes, request }
  return {
    server: server.name,
    at: new Date(now).toISOString(),
    minutes,
    consequences: consequences(request),
    text: whatIfText(told),
    ...{ before: before!.forecast, after: after!.forecast, difference },
    risk: {
      ...{ before: before!.risk, after: after!.risk },
      difference:
        before!.risk.risk === null || after!.risk.risk === null
          ? null
          : rounded(after!.risk.risk - before!.risk.risk),
    },
  }
}

function side({ row, facts }: Assessed, forecast: ServerForecast): Side {
  return {
    forecast: toForecastAnswer(forecast, facts.timeToThreshold),
    risk: {
      ...{ risk: row.risk, now: row.riskNow, predicted: row.riskPredicted },
      severity: row.severity,
    },
  }
}

function editServer(server: Server, request: WhatIfRequest): Server {
  const { changes = [], profile, cores, memoryGib } = request
  const { latest, inventory } = server
  return {
    ...server,
    ...(profile && { profile }),
    ...(cores && { cores }),
    ...(memoryGib &&
      inventory && { inventory: { ...inventory, memoryBytes: memoryGib * 2 ** 30 } }),
    latest: latest && { ...latest, readings: editReadings(latest.readings, changes) },
  }
}

/** What moves along although nobody asked for it. */
function consequences({ changes = [], memoryGib, cores }: WhatIfRequest): string[] {
  const changed = changes.map(({ metric }) => metric)
  const parts = cpuParts.filter((part) => changed.includes(part))
  return [
    ...(parts.includes('cpu_idle_pct')
      ? [
          'CPU user, system and I/O wait share the rest as they did before: the parts are 100 % together',
        ]
      : parts.length > 0
        ? ['CPU used changes along, because the CPU parts are 100 % together']
        : []),
    ...(changed.length > 0
      ? ['all other readings stay as they were measured, even where they would follow in truth']
      : []),
    ...(cores || memoryGib
      ? [
          'the readings stay as they are: only what the model and the limits are told of the server changes',
        ]
      : []),
  ]
}

/** After − before of the numbers as they are answered, so that anybody can check it. */
function differenceOf(before: Forecast, after: Forecast): WhatIf['difference'] {
  const quantiles: WhatIf['difference']['quantiles'] = {}
  const peaks: WhatIf['difference']['peaks'] = {}
  for (const name of metricNames) {
    const a = before.metrics[name]?.quantiles
    const b = after.metrics[name]?.quantiles
    if (!a || !b) continue
    quantiles[name] = Object.fromEntries(
      Object.entries(a).map(([level, steps]) => [
        level,
        steps.map((value, step) => rounded(b[level]![step]! - value)),
      ]),
    )
  }
  for (const [minutes, of] of Object.entries(before.peaks)) {
    const made: { [name in MetricName]?: { [level: string]: number } } = {}
    for (const name of metricNames) {
      const a = of[name]
      const b = after.peaks[minutes]?.[name]
      if (!a || !b) continue
      made[name] = Object.fromEntries(
        Object.entries(a).map(([level, value]) => [level, rounded(b[level]! - value)]),
      )
    }
    peaks[minutes] = made
  }
  return { quantiles, peaks }
}

/** As many decimals as the numbers it is the difference of. */
const rounded = (x: number): number => Math.round(x * 1000) / 1000
