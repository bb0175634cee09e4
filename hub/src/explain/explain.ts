import type { Explanation, Similar } from '@harbinger/shared/explanation'
import { type MetricName, metrics, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { windowBatch } from '@harbinger/shared/window/window-batch'
import { fillWindow } from '@harbinger/shared/window/window'
import type { MetricForecast, ServerForecast } from '../forecast/server-forecast.ts'
import type { Look } from '../forecast/worker-messages.ts'
import { serverSentence } from '../view/sentence.ts'
import { type AskedServer, type Assess, contextOf, type Examine } from './asked-server.ts'
import { checkAttention } from './attention.ts'
import { checkSelection, findDrivers, type Occluded } from './drivers.ts'
import type { NetworkMetric } from './occlude.ts'
import { type OcclusionRun, runOcclusions } from './occlusion-run.ts'
import { checkSeed } from './random-draws.ts'
import { amount, label, meanShift, peakOf } from './shown.ts'
import { chooseTarget, isNetworkMetric, type Target } from './target.ts'

type Parts = Pick<Explanation, 'drivers' | 'selection' | 'attention'>

export type ExplainWith = {
  readonly examine: Examine
  readonly assess: Assess
  readonly similar: () => Promise<Similar>
  /** The forecast of the last cycle, if any: says what is worth explaining. */
  readonly served: ServerForecast | undefined
  readonly asked: MetricName | undefined
}

/** Why a server is forecast as it is, from the forecasters themselves, run for this question on its window of now. */
export async function explain(
  asked: AskedServer,
  given: ExplainWith,
): Promise<Omit<Explanation, 'tookMs'>> {
  const { server, now, abstained } = asked
  const searching = given.similar()
  if (abstained !== undefined) {
    const reason = `there is no forecast: ${abstained}`
    return {
      ...heading(asked, Math.floor(now / minuteMs) * minuteMs),
      abstained,
      text: `No forecast: ${abstained}.`,
      target: null,
      ...nothing(reason),
      similar: await searching,
    }
  }
  const served =
    given.served && given.served.abstained === null
      ? given.served
      : await plainForecast(asked, given.examine)
  const target = chooseTarget({
    ...{ asked: given.asked, forecast: served, server },
    assessed: given.assess(asked, served),
  })
  const { made, parts } = await take(asked, { ...given, served, target })
  const { facts } = given.assess(asked, made)
  const forecast = target && made.metrics[target.metric]
  const similar = await searching
  return {
    ...heading(asked, made.windowEnd),
    abstained: made.abstained,
    text: [serverSentence(facts), basis(target, forecast, parts), similar.text]
      .filter(Boolean)
      .join(' '),
    target: target && forecast ? toTarget(target, forecast) : null,
    ...parts,
    similar,
  }
}

const heading = ({ server, now }: AskedServer, windowEnd: number) => ({
  server: server.name,
  at: new Date(now).toISOString(),
  windowEnd: new Date(windowEnd).toISOString(),
})

const nothing = (reason: string): Parts => ({
  drivers: { withheld: reason, items: [], check: null },
  selection: { withheld: reason, weights: [], check: null },
  attention: { withheld: reason, spans: [], check: null },
})

/** Before the first cycle nothing is served yet. */
async function plainForecast(
  { server, series, now, instead }: AskedServer,
  examine: Examine,
): Promise<ServerForecast> {
  const batch = windowBatch(1)
  const windowEnd = fillWindow(batch, 0, { series, now, context: contextOf(server) })
  const rows = [{ server: server.name, series, instead }]
  return (await examine({ batch, rows, windowEnd, issuedAt: now })).forecasts[0]!
}

async function take(
  asked: AskedServer,
  {
    target,
    served,
    examine,
  }: ExplainWith & { readonly target: Target | undefined; readonly served: ServerForecast },
): Promise<{ made: ServerForecast; parts: Parts }> {
  if (!target) {
    return { made: served, parts: nothing('no metric with a limit is forecast for this server') }
  }
  const { metric } = target
  if (!isNetworkMetric(metric)) {
    const reason = `${label(metric)} is forecast from its own past alone, not by the network: nothing else goes in`
    return { made: served, parts: nothing(reason) }
  }
  const run = await runOcclusions(asked, { target: metric, examine })
  const forecast = run.made.metrics[metric]
  if (!forecast || !forecast.source.startsWith('model:')) {
    const reason = forecast
      ? `the forecast of ${label(metric)} is made by ${forecast.source.replace(':', ' ')}, from its own past alone (${forecast.sourceReason})`
      : `${label(metric)} was not measured in the last 24 h`
    return { made: run.made, parts: nothing(reason) }
  }
  return { made: run.made, parts: partsOf(metric, forecast, run) }
}

function partsOf(metric: NetworkMetric, made: MetricForecast, run: OcclusionRun): Parts {
  const seed = checkSeed(run.made.server, run.made.windowEnd)
  const occluded = run.without.flatMap(({ removal, forecast }): Occluded[] =>
    removal.kind === 'span' ? [] : [{ removal, without: forecast.metrics[metric] }],
  )
  const effects = run.without.flatMap(({ removal, forecast }) => {
    const without = forecast.metrics[metric]
    return removal.kind === 'span' && without
      ? [{ removed: removal, effect: meanShift(made, without) }]
      : []
  })
  const { look } = run
  const drivers = findDrivers(metric, { made, occluded, seed })
  if (!look) {
    const reason = 'the network did not say what it looked at'
    return { ...nothing(reason), drivers }
  }
  const selection = checkSelection(metric, {
    ...{ made, occluded, seed },
    weightOf: (name) => weightsOf(look, networkMetricNames.indexOf(name)).past,
  })
  return {
    drivers,
    selection: {
      ...selection,
      weights: selection.withheld === null ? selectionWeights(look) : [],
    },
    attention: checkAttention({
      ...{ attention: look.attention, effects, seed, windowEnd: run.made.windowEnd },
    }),
  }
}

const weightsOf = ({ selectionPast, selectionFuture }: Look, v: number) => ({
  past: Math.round(selectionPast[v]! * 1e4) / 1e4,
  future: Math.round(selectionFuture[v]! * 1e4) / 1e4,
})

/** The calendar has its weight after the metrics. */
const selectionWeights = (look: Look): Explanation['selection']['weights'] =>
  [...networkMetricNames, 'calendar'].map((input, v) => ({ input, ...weightsOf(look, v) }))

function toTarget({ metric, why }: Target, made: MetricForecast): Explanation['target'] {
  const { likely, pessimistic } = peakOf(metric, made)
  const { source, sourceReason } = made
  const rounded = (x: number) => Math.round(x * 1e4) / 1e4
  return {
    ...{ metric, label: label(metric), unit: metrics[metric].unit, why, source, sourceReason },
    peak: rounded(likely),
    peakPessimistic: rounded(pessimistic),
  }
}

/** From what: one sentence. */
function basis(target: Target | undefined, made: MetricForecast | undefined, parts: Parts): string {
  if (!target || !made) return ''
  const { likely, pessimistic } = peakOf(target.metric, made)
  const expected = `${label(target.metric)} is expected to peak at ${amount(likely, target.metric)} within 8 h, once in ten above ${amount(pessimistic, target.metric)} (by ${made.source.replace(':', ' ')}).`
  const { withheld, items } = parts.drivers
  const from = items[0]
    ? `What counts most: ${lower(items[0].text)}`
    : `Why is not said: ${withheld}.`
  return `${expected} ${from}`
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
