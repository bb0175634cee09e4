import { minuteMs } from '@harbinger/shared/window/series'
import { accuracyRoom } from './accuracy/accuracy.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { cycles } from './cycles.ts'
import { openEpisodes } from './explain/episodes/episodes.ts'
import { openExplainer } from './explain/explainer.ts'
import { openForecaster } from './forecast/forecaster.ts'
import { freshForecast } from './forecast/fresh-forecast.ts'
import { hubHealth } from './health.ts'
import { openIdentity } from './identity/identity.ts'
import { reachable } from './identity/join-address.ts'
import { isLoopback } from './loopback.ts'
import { openBroker } from './ingest/broker.ts'
import { hearing } from './ingest/hearing.ts'
import { openExternalBroker } from './ingest/external-broker.ts'
import { intervalRoom } from './intervals/intervals.ts'
import type { Log } from './log.ts'
import { namesakes, type NameConflict } from './ingest/namesakes.ts'
import { openModels, registryOf } from './models/open-models.ts'
import { noteRunningHub } from './models/running-hub.ts'
import { isLoopbackOnly } from './people/login-settings.ts'
import { openPeople } from './people/people.ts'
import { newSecret } from './people/secrets.ts'
import { setUpSecret } from './people/set-up-secret.ts'
import { conflictStore } from './storage/conflict-store.ts'
import { certificateOf, retirement } from './retirement.ts'
import { housekeeping } from './storage/housekeeping.ts'
import { keepForecasts, loadForecasts } from './storage/keep-forecasts.ts'
import { type Kept, messageKeeper } from './storage/keep-messages.ts'
import { loadSeries } from './storage/load-series.ts'
import { samplesQuery } from './storage/samples-query.ts'
import { openStores } from './storage/stores.ts'
import { type Demo, liveFleet } from './view/live-fleet.ts'
import { fleetPresence } from './view/fleet-presence.ts'
import { openView } from './view/view.ts'
import { fleetBatches } from './window/fleet-batches.ts'
import { fleetWindow } from './window/fleet-window.ts'
import { ahead, inSlices } from './window/slices.ts'

export type HubOptions = { readonly clock: Clock; readonly log: Log; readonly demo?: Demo }
export type Hub = Awaited<ReturnType<typeof openHub>>

/** The hub, in the order the data travels: ingest, window, forecast, risk, view; storage beside them. */
export async function openHub(config: Config, { clock, log, demo }: HubOptions) {
  const { now } = clock
  const stores = openStores(config.dataFolder, config.profileRules)
  const commandSecret = newSecret()
  const { servers, rollups, quarantine, agentCosts } = stores
  const window = fleetWindow((serverId, series) =>
    loadSeries(rollups, { serverId, series, now: now() }),
  )
  const registry = registryOf(config, stores, now)
  const [forecaster] = await Promise.all([
    openForecaster({ modelFolder: registry.serving().folder, device: config.device, log }),
    inSlices([...servers.all()], ({ id }) => window.open(id, rollups.quarterBounds(id).last)),
  ])

  const accuracy = accuracyRoom({
    ...{ stores, series: window.series, now, log },
    model: () => forecaster.status().model?.id ?? null,
    onDrift: ({ detail }) => void models.trainings.request({ reason: 'drift', detail }),
  })
  const models = openModels({
    ...{ config, stores, registry, forecaster, isDemo: demo !== undefined, now, log },
  })

  const query = samplesQuery(stores, config.retention)
  const presence = fleetPresence({
    servers: servers.all(),
    heardAt: (name) => broker.heardAt(name),
    hearingSince: () => ear.since(),
  })
  /** Who left the fleet is asked no more questions. */
  const findInFleet = (name: string) => {
    const server = servers.find(name)
    return server?.retired ? undefined : server
  }
  const fleet = liveFleet({
    now,
    servers,
    series: window.series,
    isConflict: (name) => broker.isConflict(name),
    presence,
    agent: (server) => ({
      certificate: certificateOf(stores.agents.find(server.name), now()),
      quarantined: quarantine.counts(server.id),
      lastQuarantined: quarantine.last(server.id),
      own: agentCosts.last(server.id),
      interval: intervals.of(server),
    }),
    conflictOf: (name) => sameNames.conflict(name),
    samples: (server, range) => query(server, range, now()),
    health: () => health(),
    accuracy: () => accuracy.answer(),
    demo,
  })
  const episodes = openEpisodes({
    servers: servers.all,
    series: window.series,
    eachQuarter: rollups.eachQuarter,
    log,
  })
  const explainer = openExplainer({
    ...{ now, find: findInFleet, series: window.series, episodes },
    examine: (fleet) => forecaster.examine({ ...fleet, adapted: accuracy.adapted() }),
    served: ({ id }) => fleet.forecastOf(id),
    instead: ({ name }) => accuracy.insteadOf(name),
    isConflict: (name) => broker.isConflict(name),
    isOffline: (server) => presence(server, now()).state === 'offline',
  })

  const people = openPeople({
    ...{ stores: stores.people, settings: config.login, commandSecret, now, log },
    ...{ isLoopback: isLoopbackOnly(config), setUp: setUpSecret(config.dataFolder) },
  })
  const identity = await openIdentity({
    ...{ tls: config.tls, brokerUrl: config.broker?.url, dataFolder: config.dataFolder, now, log },
    ...{ tokens: stores.tokens, agents: stores.agents },
    isConnected: (name) => broker.isConnected(name),
    audit: (row) => people.audit.add({ at: now(), ...row }),
  })
  const conflicts = conflictStore<NameConflict>(stores.db)
  const sameNames = namesakes({
    now,
    open: conflicts.open(),
    onConflict(name, conflict) {
      conflicts.keep(name, conflict)
      if (conflict) log.warn({ server: name, conflict }, 'two live agents use one name')
      else log.info({ server: name }, 'one agent uses the name now')
    },
  })
  const intervals = intervalRoom({
    ...{ store: stores.intervalRules, servers: servers.all, now, log },
    tell: (server, seconds) => broker.tellInterval(server, seconds),
    wire: () => broker.wire,
  })
  const intake = {
    ...{ now, log, sameNames },
    keep: messageKeeper(stores, window),
    onKept(kept: Kept) {
      for (const server of kept.returned) fleet.membership(server)
      retiring.returned(kept.returned)
      fleet.touch(kept.servers)
      intervals.follow(kept.servers)
    },
  }
  const broker = config.broker
    ? openExternalBroker({
        ...{ ...intake, address: config.broker },
        onConnected: () => intervals.tellAgain({ takeBack: true }),
      })
    : await openBroker({
        ...{ ...intake, ...config.mqtt, gate: identity.secure },
        alsoLocal: demo !== undefined && config.tls !== undefined,
      })
  const ear = hearing({
    now,
    connectedSince() {
      const { connected, since } = broker.status()
      return connected ? Date.parse(since) : undefined
    },
  })
  if (!config.broker) intervals.tellAgain({ takeBack: false })
  loadForecasts(stores, fleet.setForecast)

  /** Forecasts of a cycle, batch by batch. */
  async function* forecasts(at: number, lap: (stage: 'window' | 'forecast') => void) {
    const abstained: { server: string; reason: string }[] = []
    const batches = fleetBatches([...servers.all()], { series: window.series, now: at, abstained })
    for await (const { batch, rows: windowed, windowEnd } of ahead(batches)) {
      const rows = windowed.map((row) => ({ ...row, instead: accuracy.insteadOf(row.server) }))
      lap('window')
      const made = await forecaster.forecast({
        ...{ batch, rows, windowEnd, issuedAt: now(), adapted: accuracy.adapted() },
        // The first batch also says who has none.
        abstained: abstained.splice(0),
      })
      lap('forecast')
      yield { batch, rows, windowEnd, made }
    }
  }

  const rounds = cycles(async (at, { watch, count }) => {
    const lap = watch()
    // While one batch is kept and told, the next is forecast and the one after it windowed.
    for await (const { batch, rows, windowEnd, made } of ahead(forecasts(at, watch()))) {
      lap()
      await keepForecasts(stores, made)
      const model = forecaster.status().model?.id ?? null
      const onDue = (due: readonly number[]) => models.shadow.take({ batch, rows, windowEnd }, due)
      await accuracy.keep({ batch, rows, made, windowEnd, model, onDue })
      lap('commit')
      await inSlices(made, fleet.setForecast)
      lap('risk')
      count(made)
    }
    models.shadow.run()
  }, log)

  const retiring = retirement({
    ...{ now, servers, presence, log, afterDays: config.retireAfterDays },
    agents: stores.agents,
    hearingSince: ear.since,
    onChange: fleet.membership,
    audit: (row) => people.audit.add({ at: now(), ...row }),
  })

  const forecastNow = freshForecast({
    ...{ now, find: findInFleet, series: window.series, forecast: forecaster.forecast },
    ...{ adapted: accuracy.adapted, keep: fleet.setForecast },
    rowOf: (row) => ({ ...row, instead: accuracy.insteadOf(row.server) }),
  })

  const keepHouse = housekeeping(stores, { window, retention: config.retention, log })
  /** Agents let in or revoked by a command: it writes to the same file. */
  const seeCommandLine = (): void => {
    if (stores.agents.refresh()) broker.recheck()
    intervals.refresh()
  }
  const timers = [
    clock.every(config.forecastEverySeconds * 1000, (due) => void rounds.start(due)),
    clock.every(minuteMs, (due) => void keepHouse.quarters(due)),
    clock.every(minuteMs, (due) => void accuracy.score(due)),
    clock.every(minuteMs, models.tick),
    clock.every(60 * minuteMs, (due) => void keepHouse.retention(due)),
    clock.every(60 * minuteMs, (due) => void accuracy.retention(due)),
    clock.every(60 * minuteMs, () => people.forget()),
    clock.every(60 * minuteMs, () => retiring.retireSilent()),
    clock.every(1000, () => {
      ear.look()
      void fleet.tick()
    }),
    clock.every(1000, () => seeCommandLine()),
    clock.every(10_000, () => broker.recheck()),
    // Also what no message told: a profile that somebody set.
    clock.every(10_000, () => intervals.followAll()),
    clock.every(10_000, () => void identity.renew()),
    clock.every(1000, (due) => {
      // The first forecasts come before anything that can wait.
      if (rounds.last()) void episodes.refresh(due)
    }),
  ]
  const isOpenPlain = !config.broker && !config.tls && !isLoopback(config.mqtt.host)
  const plainMqtt = `agents are heard in the clear on ${config.mqtt.host} (mqtt.allowPlain): whoever reaches that port may read and forge what servers say`
  if (isOpenPlain) log.warn({ host: config.mqtt.host, port: broker.port }, plainMqtt)
  const isViewPlain =
    !config.tls && !isLoopback(config.http.host) && config.login.trustedProxies.length === 0
  const plainHttp = `the fleet view is served in the clear on ${config.http.host} (http.allowPlain): whoever is on that network may read passwords and sessions`
  if (isViewPlain) log.warn({ host: config.http.host }, plainHttp)
  const problems = () => [
    ...[...accuracy.problems(), ...models.problems(), ...identity.problems()],
    ...[isOpenPlain ? [plainMqtt] : [], isViewPlain ? [plainHttp] : []].flat(),
  ]
  const health = hubHealth({
    ...{ now, forecaster, broker, rounds, accuracy: { problems }, servers: servers.count },
  })
  const { host, port, allowedHosts, hstsSeconds } = config.http
  const { trustedProxies } = config.login
  const enrolment = {
    ...identity.sources,
    enrol(...asked: Parameters<typeof identity.sources.enrol>) {
      // Whoever was let in on the command line a moment ago is not told to wait a second.
      seeCommandLine()
      return identity.sources.enrol(...asked)
    },
    revokeAgent(server: string) {
      const revoked = identity.sources.revokeAgent(server)
      broker.recheck()
      return revoked
    },
  }
  const sources = {
    ...{ ...fleet.sources, ...explainer, ...models.sources, ...enrolment, forecastNow, people },
    ...{ retire: retiring.retire, bringBack: retiring.bringBack, retired: retiring.list },
    ...intervals.sources,
  }
  const view = await openView({
    ...{ host, port, sources, uiDirectory: config.uiFolder, log, hstsSeconds, trustedProxies },
    allowedHosts: [...allowedHosts, ...identity.names(host)],
    credentials: identity.secure?.credentials,
  })
  identity.listens({ http: view.port, mqtt: broker.port ?? 0 })
  people.announce(reachable({ tls: config.tls, host }, view))
  const note = () =>
    noteRunningHub(config.dataFolder, {
      ...{ address: view.address, secret: commandSecret, mqttPort: broker.port },
      certificate: identity.secure?.credentials.leaf(),
    })
  identity.secure?.credentials.onChange(() => void note())
  const forgetRunning = note()
  void rounds.start(now())

  return {
    address: view.address,
    /** Undefined with an external broker. */
    mqttPort: broker.port,
    /** Where a simulated fleet of this machine is heard. */
    localMqttPort: broker.localPort,
    sources,
    /** Begins a forecast cycle before one is due, unless one runs; settles when it is through. */
    forecastFleet: () => rounds.start(now()),
    isForecasting: rounds.isRunning,
    /** Settles when the forecast cycle that runs, if any, is through. */
    untilForecast: rounds.done,
    /** Settles when the round of scoring that runs, if any, is through. */
    untilScored: accuracy.idle,
    trainings: models.trainings,
    /** Settles when what is being done about models is through; trainings go on. */
    untilModels: models.idle,
    /** Stops hearing before it stops keeping. */
    async close(): Promise<void> {
      for (const stop of timers) stop()
      await broker.close()
      await rounds.done()
      await keepHouse.done()
      await accuracy.done()
      await episodes.done()
      await view.close()
      forgetRunning()
      await models.close()
      await forecaster.close()
      stores.close()
    },
  }
}
