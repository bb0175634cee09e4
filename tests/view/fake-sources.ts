import type {
  Fleet,
  Forecast,
  Health,
  Samples,
  Scenario,
  ServerDetail,
  ServerSummary,
} from '@harbinger/shared/api'
import { metricNames } from '@harbinger/shared/metrics'
import { quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { profiles } from '@harbinger/shared/profiles'
import { memoryPeople } from './memory-people.ts'
import { explanationOf, whatIfOf } from './fake-explanation.ts'
import type {
  EnrolmentSources,
  IntervalSources,
  FleetChange,
  ModelSources,
  ViewSources,
} from '../../hub/src/view/view-sources.ts'

export const now = Date.parse('2026-03-02T10:00:00.000Z')
const instant = (at: number) => new Date(at).toISOString()

export const serverRow = (name: string, changes: Partial<ServerSummary> = {}): ServerSummary => ({
  name,
  profile: 'generic',
  profileSource: 'default',
  simulated: true,
  tags: [],
  state: 'healthy',
  presence: { state: 'heard', why: null, since: null },
  severity: 'healthy',
  risk: 5,
  riskNow: 5,
  riskPredicted: 5,
  cpuUsed: 40,
  cores: 8,
  metrics: { mem_used_pct: { now: 50, in30Minutes: 51 } },
  cpuUsedIn30Minutes: 41,
  timeToThreshold: null,
  lastSeen: instant(now - 5_000),
  source: 'model:base-1',
  abstained: null,
  conflict: false,
  ...changes,
})

/** `count` servers that differ from one another in all that can be sorted by. */
export const manyRows = (count: number): ServerSummary[] =>
  Array.from({ length: count }, (_, i) =>
    serverRow(`srv${String(i).padStart(5, '0')}`, {
      profile: profiles[i % profiles.length]!,
      tags: i % 2 === 0 ? ['even'] : [],
      risk: i % 11 === 0 ? null : (i * 37) % 101,
      severity: i % 11 === 0 ? 'unknown' : 'healthy',
      cpuUsed: i % 7 === 0 ? null : (i * 13) % 100,
      lastSeen: i % 5 === 0 ? null : instant(now - i * 1000),
      metrics: Object.fromEntries(
        metricNames.map((metric, m) => [
          metric,
          { now: i % 3 === 0 ? null : (i * (m + 3)) % 97, in30Minutes: 12.5 },
        ]),
      ),
    }),
  )

export const fleetOf = (rows: readonly ServerSummary[]): Fleet => ({
  at: instant(now),
  total: rows.length,
  simulated: rows.length,
  bySeverity: { healthy: rows.length },
  byState: { healthy: rows.length },
  byPresence: { heard: rows.length, late: 0, offline: 0 },
  environment: {
    status: 'healthy',
    sentence: 'All is well.',
    incidentProbability30m: 0.01,
    incidentProbability8h: null,
    how: 'from the forecasts of each server, taken as independent',
  },
  topRisks: rows.slice(0, 3),
  demo: null,
})

export const health: Health = {
  status: 'ok',
  problems: [],
  version: '0.1.0',
  contractVersion: '1.0.0',
  node: 'v24.0.0',
  startedAt: instant(now - 60_000),
  uptimeSeconds: 60,
  model: { id: 'base-1', kind: 'tft', trainedAt: instant(now - 86_400_000) },
  modelProblem: null,
  device: 'cpu',
  deviceReason: 'forecast.device is cpu',
  broker: {
    ...{ kind: 'embedded', address: '127.0.0.1:1883', connected: true, reason: null },
    since: instant(now - 60_000),
  },
  ingestLagMs: 12,
  lastCycle: {
    at: instant(now - 1000),
    servers: 2,
    forecast: 2,
    abstained: 0,
    ms: { window: 1, forecast: 2, risk: 3, commit: 4, total: 10 },
  },
  queues: { ingest: 0 },
  counters: { 'samples stored': 7 },
}

export const detailOf = (row: ServerSummary): ServerDetail => ({
  ...row,
  conflictOf: null,
  retired: null,
  sentence: 'Quiet.',
  reasons: [],
  unknown: [],
  limits: {},
  inventory: null,
  agent: {
    status: 'online',
    statusReason: null,
    clockSkewMs: 3,
    quarantined: {},
    lastQuarantined: [],
    certificate: 'none',
    interval: { seconds: 10, from: 'own', own: 10, rule: null },
    unknownReadings: 0,
    own: null,
  },
})

/** Memory climbs by 1 % a step; each quantile lies its own level beside the median. */
export const rampForecast = (server: string): Forecast => ({
  server,
  issuedAt: instant(now),
  windowEnd: instant(now),
  stepMinutes: 15,
  horizonMinutes: 480,
  abstained: null,
  metrics: {
    mem_used_pct: {
      source: 'model:base-1',
      sourceReason: 'better than the baseline in the backtest',
      quantiles: Object.fromEntries(
        quantileLevels.map((level) => [
          String(level),
          Array.from({ length: 32 }, (_, step) => 50 + step + level - 0.5),
        ]),
      ),
    },
  },
  peaks: { '60': { mem_used_pct: { '0.5': 53, '0.9': 53.4 } } },
  timeToThreshold: {},
})

const samplesOf = (server: string, from: number, to: number): Samples => ({
  server,
  from: instant(from),
  to: instant(to),
  stepSeconds: 60,
  tier: 'minute',
  at: [instant(from)],
  metrics: { mem_used_pct: { mean: [50], max: [null] } },
})

/** A hub whose model came with it, and that never trained. */
const modelSources: ModelSources = {
  models: () => ({
    models: [],
    serving: {
      ...{ id: 'base-1', since: instant(now), by: 'hub', reason: 'it came with Harbinger' },
      ...{ problem: null, pinned: false, previous: null },
    },
    ...{ challenger: null, decisions: [], nextCursor: null },
  }),
  model: () => undefined,
  promote: async (id) => ({ refused: `there is no model ${id}` }),
  rollback: async () => ({ refused: 'no other model has served' }),
  trainings: () => ({
    trainings: [],
    limits: { everyDays: 7, hoursBetween: 24, perWeek: 3, quietHours: null, minutes: 30 },
    nextCursor: null,
  }),
  training: () => undefined,
  train: () => ({ refused: 'it is only a test' }),
  cancelTraining: () => undefined,
}

/** A hub without TLS: nobody can join it. */
const enrolmentSources: EnrolmentSources = {
  enrol: async () => ({ status: 409, refused: 'it is only a test' }),
  renewAgent: async () => ({ status: 409, refused: 'it is only a test' }),
  checkAgent: () => ({ status: 409, refused: 'it is only a test' }),
  tokens: () => ({ tokens: [], hub: null, caSha256: null, problem: 'no TLS', nextCursor: null }),
  createToken: () => ({ refused: 'it is only a test' }),
  revokeToken: () => undefined,
  agents: () => ({ agents: [], nextCursor: null }),
  revokeAgent: () => undefined,
  allowRejoin: () => undefined,
}

const intervalSources: IntervalSources = {
  intervals: () => ({ rules: [], withoutRule: 0, nextCursor: null }),
  estimateInterval: () => ({
    ...{ servers: 0, decidedByOthers: 0, touched: 0, measured: 0, minutes: 0 },
    ...{ bytesPerDay: null, included: 'it is only a test' },
  }),
  setInterval: () => ({ refused: 'it is only a test' }),
  removeInterval: () => undefined,
}

/** A fleet in memory that changes when told to. */
export function fakeSources(rows: ServerSummary[], overrides: Partial<ViewSources> = {}) {
  const listeners = new Set<(change: FleetChange) => void>()
  const find = (name: string) => rows.find((row) => row.name.toLowerCase() === name.toLowerCase())
  const sources: ViewSources = {
    now: () => now,
    people: memoryPeople().people,
    health: () => health,
    accuracy: () => ({ at: null, since: null, windows: [], drift: null }),
    fleet: () => fleetOf(rows),
    servers: () => rows,
    server: (name) => {
      const row = find(name)
      return row && detailOf(row)
    },
    samples: (name, { from, to }) => find(name) && samplesOf(name, from, to),
    forecast: (name) => {
      const row = find(name)
      return row && rampForecast(row.name)
    },
    forecastNow: async () => {},
    explanation: async (name) => {
      const row = find(name)
      return row && explanationOf(row.name, now)
    },
    whatIf: async (name) => {
      const row = find(name)
      return row && whatIfOf(rampForecast(row.name), 0.5, now)
    },
    ...modelSources,
    ...enrolmentSources,
    retired: () => ({ afterDays: 30, servers: [] }),
    retire: (name, { by, reason = '' }) => {
      const row = find(name)
      if (row?.presence.state === 'heard') return { refused: `${row.name} is heard` }
      return (
        row && {
          ...{ name: row.name, profile: row.profile, lastSeen: row.lastSeen, certificate: 'none' },
          retired: { at: instant(now), by, reason },
        }
      )
    },
    bringBack: () => undefined,
    ...intervalSources,
    setScenario: undefined,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ...overrides,
  }
  return {
    sources,
    listeners,
    change(servers: ServerSummary[], removed: string[] = []) {
      for (const row of servers) {
        const i = rows.findIndex(({ name }) => name === row.name)
        if (i < 0) rows.push(row)
        else rows[i] = row
      }
      for (const name of removed)
        rows.splice(
          rows.findIndex((row) => row.name === name),
          1,
        )
      for (const listener of listeners) listener({ servers, removed, fleet: fleetOf(rows) })
    },
  }
}

export type Logged = { readonly fields: object; readonly message: string }

export function fakeLog() {
  const lines: Logged[] = []
  const keep = (fields: object, message: string) => void lines.push({ fields, message })
  return { lines, log: { info: keep, warn: keep, error: keep } }
}

export type { Scenario }
