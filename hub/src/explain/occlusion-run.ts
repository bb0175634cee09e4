import { networkMetricNames } from '@harbinger/shared/metrics'
import { fillWindow } from '@harbinger/shared/window/window'
import { historySteps, V, windowBatch } from '@harbinger/shared/window/window-batch'
import type { Look } from '../forecast/worker-messages.ts'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import { type AskedServer, contextOf, type Examine } from './asked-server.ts'
import { type Span, spanAt, spans } from './attention.ts'
import { copyRow } from './copy-row.ts'
import { knowsSpan, knowsUsual, type NetworkMetric, occlude, type Removal } from './occlude.ts'

export type OcclusionRun = {
  /** As forecast, with nothing removed. */
  readonly made: ServerForecast
  /** What the network looked at in that forecast. */
  readonly look: Look | undefined
  /** The forecast with each of them removed. */
  readonly without: readonly { readonly removal: Removal; readonly forecast: ServerForecast }[]
}

/** The window of one server as it is and with one thing after the other removed, forecast in one batch. */
export async function runOcclusions(
  { server, series, now, instead }: AskedServer,
  { target, examine }: { readonly target: NetworkMetric; readonly examine: Examine },
): Promise<OcclusionRun> {
  const whole = windowBatch(1)
  const windowEnd = fillWindow(whole, 0, { series, now, context: contextOf(server) })
  const removals = removalsFor(target, whole)
  const batch = windowBatch(1 + removals.length)
  for (let row = 0; row < batch.size; row++) copyRow(whole, batch, row)
  removals.forEach((removal, i) => occlude(batch, i + 1, removal))
  const { forecasts, look } = await examine({
    batch,
    rows: Array.from({ length: batch.size }, () => ({ server: server.name, series, instead })),
    windowEnd,
    issuedAt: now,
  })
  return {
    made: forecasts[0]!,
    look: look && firstRow(look, batch.size),
    without: removals.map((removal, i) => ({ removal, forecast: forecasts[i + 1]! })),
  }
}

function removalsFor(target: NetworkMetric, whole: ReturnType<typeof windowBatch>): Removal[] {
  const others = networkMetricNames.filter(
    (metric, v) => metric !== target && isMeasured(whole.pastKnown, v),
  )
  const measuredSpans: Span[] = Array.from({ length: spans }, (_, i) => spanAt(i)).filter(
    ({ from, to }) => knowsSpan(whole, 0, from, to),
  )
  return [
    ...others.map((metric) => ({ kind: 'metric' as const, metric })),
    ...(knowsUsual(whole, 0, target)
      ? [
          { kind: 'own_course' as const, metric: target },
          { kind: 'usual' as const, metric: target },
        ]
      : []),
    ...(whole.profile[0] === 0n ? [] : [{ kind: 'profile' as const }]),
    // Without the only measured span there would be nothing to forecast from.
    ...(measuredSpans.length < 2
      ? []
      : measuredSpans.map((span) => ({ kind: 'span' as const, ...span }))),
  ]
}

function isMeasured(pastKnown: Float32Array, v: number): boolean {
  for (let t = 0; t < historySteps; t++) if (pastKnown[t * V + v]! > 0) return true
  return false
}

function firstRow(look: Look, rows: number): Look {
  const first = (all: Float32Array) => all.subarray(0, all.length / rows)
  return {
    selectionPast: first(look.selectionPast),
    selectionFuture: first(look.selectionFuture),
    attention: first(look.attention),
  }
}
