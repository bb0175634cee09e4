import type { Fleet, Forecast, Health, ServerSummary } from '@harbinger/shared/api'
import { metricNames } from '@harbinger/shared/metrics'
import { stepAt } from './forecast-steps.ts'
import { escapeLabel, family, type Point, points } from './prometheus.ts'
import type { StreamCounters } from './routes/stream.ts'

const hourMinutes = 60
/** The last instant a fresh forecast knows is just before 8 h. */
const horizons = [
  ['30m', 30],
  ['1h', hourMinutes],
  ['2h', 2 * hourMinutes],
  ['4h', 4 * hourMinutes],
  ['7h', 7 * hourMinutes],
] as const
const shownQuantiles = ['0.1', '0.5', '0.9'] as const

const gauge = (name: string, help: string, all: Iterable<Point>): string =>
  family(name, 'gauge', help) + points(name, all)
const counter = (name: string, help: string, all: Iterable<Point>): string =>
  family(name, 'counter', help) + points(name, all)

const seconds = (instant: string | null): number | null =>
  instant === null ? null : Date.parse(instant) / 1000

const per = <Value>(
  label: string,
  values: { readonly [key: string]: Value },
  of: (value: Value) => number,
): Point[] => Object.entries(values).map(([key, value]) => [{ [label]: key }, of(value)])

const itself = (value: number) => value
const msToSeconds = (ms: number) => ms / 1000

/** How the hub is. */
export function hubText(health: Health, stream: StreamCounters): string {
  const { model, lastCycle } = health
  return [
    gauge('harbinger_info', 'Versions of this hub, as labels.', [
      [{ version: health.version, contract: health.contractVersion, node: health.node }, 1],
    ]),
    gauge('harbinger_ok', '1 when the hub has no problem, else 0.', [
      [{}, health.status === 'ok' ? 1 : 0],
    ]),
    gauge('harbinger_start_time_seconds', 'When the hub started, Unix time.', [
      [{}, seconds(health.startedAt)],
    ]),
    gauge(
      'harbinger_model_info',
      'The model that serves, as labels; absent when only baselines do.',
      model ? [[{ id: model.id, kind: model.kind, device: health.device }, 1]] : [],
    ),
    gauge('harbinger_model_trained_timestamp_seconds', 'When the model was trained, Unix time.', [
      [{}, model ? seconds(model.trainedAt) : null],
    ]),
    gauge('harbinger_ingest_lag_seconds', 'How old the newest sample was when it arrived.', [
      [{}, health.ingestLagMs === null ? null : health.ingestLagMs / 1000],
    ]),
    gauge('harbinger_cycle_timestamp_seconds', 'When the last forecast cycle ran, Unix time.', [
      [{}, lastCycle ? seconds(lastCycle.at) : null],
    ]),
    gauge('harbinger_cycle_servers', 'Servers in the last forecast cycle, by outcome.', [
      [{ outcome: 'forecast' }, lastCycle?.forecast],
      [{ outcome: 'abstained' }, lastCycle?.abstained],
    ]),
    gauge(
      'harbinger_cycle_seconds',
      'What the last forecast cycle took, by stage; stages overlap.',
      lastCycle ? per('stage', lastCycle.ms, msToSeconds) : [],
    ),
    gauge(
      'harbinger_queue_length',
      'What waits inside the hub, by queue.',
      per('queue', health.queues, itself),
    ),
    counter(
      'harbinger_events_total',
      'What happened since the hub started, by event.',
      per('event', health.counters, itself),
    ),
    gauge('harbinger_stream_clients', 'Pages that follow the live stream.', [[{}, stream.clients]]),
    counter('harbinger_stream_dropped_total', 'Stream clients dropped for reading too slowly.', [
      [{}, stream.dropped],
    ]),
  ].join('')
}

/** The fleet as a whole. */
export function fleetText({ bySeverity, byState, byPresence, environment }: Fleet): string {
  return [
    gauge('harbinger_servers', 'Servers by severity.', per('severity', bySeverity, itself)),
    gauge('harbinger_servers_by_state', 'Servers by state.', per('state', byState, itself)),
    gauge(
      'harbinger_servers_by_presence',
      'Servers by whether they are heard.',
      per('presence', byPresence, itself),
    ),
    gauge('harbinger_incident_probability', 'Chance of an incident in the fleet, by horizon.', [
      [{ horizon: '30m' }, environment.incidentProbability30m],
      [{ horizon: '8h' }, environment.incidentProbability8h],
    ]),
  ].join('')
}

/** Every server now. */
export function serversText(rows: readonly ServerSummary[]): string {
  const each = (of: (row: ServerSummary) => number | null): Point[] =>
    rows.map((row) => [{ server: row.name, profile: row.profile }, of(row)])
  return [
    gauge(
      'harbinger_server_risk',
      'Risk score, 0 to 100; absent when unknown.',
      each(({ risk }) => risk),
    ),
    gauge(
      'harbinger_server_risk_predicted',
      'Predicted part of the risk score.',
      each(({ riskPredicted }) => riskPredicted),
    ),
    gauge(
      'harbinger_server_offline',
      '1 while the server is offline, else 0.',
      each(({ presence }) => (presence.state === 'offline' ? 1 : 0)),
    ),
    gauge(
      'harbinger_server_conflict',
      '1 while two live agents use the name of the server, else 0.',
      each(({ conflict }) => (conflict ? 1 : 0)),
    ),
    gauge(
      'harbinger_server_last_seen_timestamp_seconds',
      'When the server last sent a sample, Unix time.',
      each(({ lastSeen }) => seconds(lastSeen)),
    ),
    gauge(
      'harbinger_server_threshold_probability',
      'Chance that the metric nearest to its limit reaches it within 8 h.',
      rows.flatMap(({ name, timeToThreshold: next }): Point[] =>
        next ? [[{ server: name, metric: next.metric }, next.probability]] : [],
      ),
    ),
    gauge(
      'harbinger_server_metric',
      'The latest reading of each metric.',
      rows.flatMap(({ name, metrics }) =>
        metricNames.map((metric): Point => [{ server: name, metric }, metrics[metric]?.now]),
      ),
    ),
  ].join('')
}

/** Every server later. */
export const forecastText = {
  head: family(
    'harbinger_forecast',
    'gauge',
    'Forecast of a metric: the quantile of its mean over the 15-minute step that holds the instant now + horizon.',
  ),
  of({ server, windowEnd, metrics }: Forecast, now: number): string {
    // The bulk of the answer: written out instead of through `point`.
    const name = escapeLabel(server)
    let text = ''
    for (const [horizon, minutes] of horizons) {
      const step = stepAt(Date.parse(windowEnd), now + minutes * 60_000)
      if (step === undefined) continue
      for (const metric of metricNames) {
        const quantiles = metrics[metric]?.quantiles
        if (!quantiles) continue
        for (const quantile of shownQuantiles) {
          const value = quantiles[quantile]?.[step]
          if (value === undefined) continue
          text += `harbinger_forecast{server="${name}",metric="${metric}",horizon="${horizon}",quantile="${quantile}"} ${value}\n`
        }
      }
    }
    return text
  },
}
