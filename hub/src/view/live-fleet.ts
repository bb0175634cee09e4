import type { Accuracy } from '@harbinger/shared/accuracy'
import { scenarios, type Scenario } from '@harbinger/shared/api'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import type { Series } from '@harbinger/shared/window/series'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import { assessEnvironment, type ChancesKept } from '../risk/environment.ts'
import type { NameConflict } from '../ingest/namesakes.ts'
import type { Server } from '../storage/server-store.ts'
import { inSlices } from '../window/slices.ts'
import { assessServer, type Assessed } from './assess-server.ts'
import type { FleetPresence } from './fleet-presence.ts'
import { toDetailFacts, type AgentFacts } from './detail-facts.ts'
import { noForecast, toForecastAnswer } from './forecast-answer.ts'
import { offlineAbstains, toDetail } from './rows.ts'
import type {
  EnrolmentSources,
  FleetChange,
  IntervalSources,
  ModelSources,
  RetirementSources,
  ViewSources,
} from './view-sources.ts'

export type LiveFleetOptions = {
  readonly now: () => number
  readonly servers: {
    readonly all: () => Iterable<Server>
    readonly find: (name: string) => Server | undefined
  }
  readonly series: (serverId: number) => Series
  readonly isConflict: (name: string) => boolean
  readonly conflictOf: (name: string) => NameConflict | undefined
  readonly presence: FleetPresence
  readonly agent: (server: Server) => Omit<AgentFacts, 'conflict'>
  readonly samples: (
    server: Server,
    range: Parameters<ViewSources['samples']>[1],
  ) => ReturnType<ViewSources['samples']>
  readonly health: ViewSources['health']
  readonly accuracy: ViewSources['accuracy']
  readonly demo: Demo | undefined
}

/** The simulated fleet that runs beside the hub. */
export type Demo = {
  readonly scenario: () => Scenario
  readonly set: (scenario: Scenario) => Promise<void>
}

/** A row older than this is looked at again although nothing arrived: silence is news too. */
const lookAgainMs = 15_000
const topRisks = 10

/** What the fleet answers by itself; the rest is explained, made anew, or is about models. */
type FleetSources = Omit<
  ViewSources,
  | ('explanation' | 'whatIf' | 'forecastNow' | 'people')
  | keyof (ModelSources & EnrolmentSources & IntervalSources & RetirementSources)
>

export type LiveFleet = ReturnType<typeof liveFleet>

/** What everyone may ask of the fleet: rows kept up to date as samples and forecasts come. */
export function liveFleet({
  now,
  servers,
  series,
  isConflict,
  presence,
  agent,
  ...options
}: LiveFleetOptions) {
  const forecasts = new Map<number, ServerForecast>()
  const assessed = new Map<number, Assessed>()
  const dirty = new Set<Server>()
  const changed = new Map<Server, Assessed['row']>()
  const listeners = new Set<(change: FleetChange) => void>()
  /** Names of servers that left the fleet, to be told. */
  const removed = new Set<string>()
  let rows: readonly Assessed['row'][] | undefined
  let environment: ReturnType<typeof assessEnvironment> | undefined
  let lookedAt = 0
  let ticking = false

  const assess = (server: Server): Assessed => {
    const made = assessServer({
      ...{ server, now: now(), series: series(server.id), conflict: isConflict(server.name) },
      presence: presence(server, now()),
      ...{ forecast: forecasts.get(server.id), before: assessed.get(server.id) },
    })
    assessed.set(server.id, made)
    rows = undefined
    environment = undefined
    return made
  }
  const known = (server: Server): Assessed => assessed.get(server.id) ?? assess(server)
  const allKnown = (): Assessed[] => [...servers.all()].map(known)

  const sources: FleetSources = {
    now,
    health: options.health,
    accuracy: options.accuracy,
    servers: () => (rows ??= allKnown().map(({ row }) => row)),
    fleet() {
      const all = allKnown()
      environment ??= assessEnvironment(
        all.map(({ inFleet }) => inFleet),
        chancesKept(options.accuracy()),
      )
      const summaries = sources.servers()
      const byState: Record<string, number> = {}
      const byPresence = { heard: 0, late: 0, offline: 0 }
      for (const { state, presence } of summaries) {
        byState[state] = (byState[state] ?? 0) + 1
        byPresence[presence.state]++
      }
      const { bySeverity, ...rest } = environment
      return {
        at: new Date(now()).toISOString(),
        total: summaries.length,
        simulated: summaries.filter(({ simulated }) => simulated).length,
        bySeverity,
        byState,
        byPresence,
        environment: rest,
        topRisks: summaries
          .filter(({ risk }) => risk !== null && risk > 0)
          .sort((a, b) => b.risk! - a.risk!)
          .slice(0, topRisks),
        demo: options.demo
          ? { scenario: options.demo.scenario(), scenarios: [...scenarios] }
          : null,
      }
    },
    server(name) {
      const server = servers.find(name)
      if (!server) return undefined
      const own = { ...agent(server), conflict: options.conflictOf(server.name) }
      return toDetail(toDetailFacts(known(server), server, own))
    },
    samples(name, range) {
      const server = servers.find(name)
      return server && options.samples(server, range)
    },
    forecast(name) {
      const server = servers.find(name)
      if (!server) return undefined
      const forecast = forecasts.get(server.id)
      if (server.retired) return noForecast(server.name, now(), 'retired: it left the fleet')
      if (known(server).facts.presence.state === 'offline') {
        return noForecast(server.name, now(), offlineAbstains)
      }
      return forecast
        ? toForecastAnswer(forecast, known(server).facts.timeToThreshold)
        : noForecast(server.name, now())
    },
    setScenario: options.demo?.set,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }

  return {
    sources,
    /** The newest forecast of a server, however old. */
    forecastOf: (serverId: number): ServerForecast | undefined => forecasts.get(serverId),
    /** Something arrived from these servers. */
    touch(changed: Iterable<Server>): void {
      for (const server of changed) dirty.add(server)
    },
    setForecast(forecast: ServerForecast): void {
      const server = servers.find(forecast.server)
      if (!server || server.retired) return
      forecasts.set(server.id, forecast)
      dirty.delete(server)
      changed.set(server, assess(server).row)
    },
    /** A server left the fleet, or is back in it. */
    membership(server: Server): void {
      assessed.delete(server.id)
      rows = undefined
      environment = undefined
      if (!server.retired) {
        removed.delete(server.name)
        dirty.add(server)
        return
      }
      forecasts.delete(server.id)
      dirty.delete(server)
      changed.delete(server)
      removed.add(server.name)
    },
    /** Once a second: what changed is assessed again and told. The event loop has its turn in between. */
    async tick(): Promise<void> {
      if (ticking) return
      ticking = true
      if (now() - lookedAt >= lookAgainMs) {
        lookedAt = now()
        for (const server of servers.all()) dirty.add(server)
      }
      for (const server of servers.all()) {
        const before = assessed.get(server.id)?.facts
        if (!before) continue
        const isSame =
          presence(server, now()).state === before.presence.state &&
          isConflict(server.name) === before.conflict
        if (!isSame) dirty.add(server)
      }
      const due = [...dirty].filter(({ retired }) => !retired)
      dirty.clear()
      await inSlices(due, (server) => void changed.set(server, assess(server).row)).finally(() => {
        ticking = false
      })
      if (changed.size === 0 && removed.size === 0) return
      const change = {
        servers: [...changed].flatMap(([{ retired }, row]) => (retired ? [] : [row])),
        removed: [...removed],
        fleet: sources.fleet(),
      }
      changed.clear()
      removed.clear()
      for (const listener of listeners) listener(change)
    },
  }
}

function chancesKept({ windows }: Pick<Accuracy, 'windows'>): ChancesKept {
  const longest = windows.toSorted((a, b) => b.days - a.days)[0]
  const breach = longest?.peaks[String(peakMinutes.at(-1))]?.breach
  if (!longest || !breach || breach.expected === null || breach.reached === null) return null
  const { cases, expected, reached } = breach
  return { days: longest.days, cases, expected, reached }
}
