import { networkMetricNames } from '@harbinger/shared/metrics'
import type { Series } from '@harbinger/shared/window/series'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import { toLogged } from '../accuracy/to-logged.ts'
import { type Forecaster, openForecaster } from '../forecast/forecaster.ts'
import type { Log } from '../log.ts'
import { loggedLevels } from '../storage/forecast-log-body.ts'
import type { LoggedForecast } from '../storage/forecast-log-store.ts'
import { type ShadowPair, shadowScores } from '../storage/shadow-scores.ts'
import type { HubStores } from '../storage/stores.ts'
import { nextTurn } from '../window/slices.ts'
import { gatherRows } from './gather-rows.ts'
import type { Registry } from './registry.ts'

/** How a challenger has done on live windows beside the model that serves. */
export type ShadowFigures = {
  readonly model: string
  /** ms; when its first forecast was logged, null before. */
  readonly since: number | null
  /** Points of which both were scored. */
  readonly points: number
  /** Weighted quantile loss of both on these points; null before there are any. */
  readonly wql: { readonly challenger: number; readonly served: number } | null
}

type Windows = {
  readonly batch: WindowBatch
  readonly rows: readonly { readonly server: string; readonly series: Series }[]
  readonly windowEnd: number
}

/** A challenger works for at most this share of the time. */
const busyShare = 0.05
/** Batches that wait; more are left out. */
const mostWaiting = 64

export type Shadow = ReturnType<typeof openShadow>

/**
 * The challenger in the shadow of the model that serves: it forecasts the windows whose forecasts are logged, after
 * the cycle that made them; what it says is logged as not served and shown to nobody.
 */
export function openShadow({
  stores,
  registry,
  now,
  log,
}: {
  readonly stores: Pick<HubStores, 'db' | 'servers' | 'forecastLog'>
  readonly registry: Pick<Registry, 'challenger'>
  readonly now: () => number
  readonly log: Log
}) {
  const scores = shadowScores(stores.db)
  let opened: { readonly id: string; readonly forecaster: Forecaster } | undefined
  const waiting: Windows[] = []
  let work: Promise<void> = Promise.resolve()
  let isWorking = false
  let restUntil = 0
  let leftOut = 0
  let isClosed = false
  let figures: ShadowFigures | undefined

  /** Opens the challenger there is now, and closes one that no longer is. */
  async function refresh(): Promise<void> {
    const found = registry.challenger()
    if (found?.manifest.id === opened?.id) return
    await opened?.forecaster.close()
    opened = figures = undefined
    waiting.length = 0
    if (!found || isClosed) return
    const forecaster = await openForecaster({ modelFolder: found.folder, threads: 1, log })
    opened = { id: found.manifest.id, forecaster }
    log.info({ model: opened.id }, 'a challenger forecasts in the shadow')
  }

  async function run(): Promise<void> {
    for (let next = waiting.shift(); next && opened && !isClosed; next = waiting.shift()) {
      const began = performance.now()
      await forecast(next, opened)
      restUntil = performance.now() + (performance.now() - began) * (1 / busyShare - 1)
      await nextTurn()
    }
  }

  async function forecast({ batch, rows, windowEnd }: Windows, { id, forecaster }: Opened) {
    const made = await forecaster.forecast({ batch, rows, windowEnd, issuedAt: now() })
    // Only baselines answer while its worker is being started: that is not what the challenger says.
    if (forecaster.status().model === null) return
    const logged = made.flatMap((forecast, row): LoggedForecast[] => {
      const server = stores.servers.find(forecast.server)
      if (!server || forecast.abstained !== null) return []
      const metrics = toLogged({ forecast, server, batch, row })
      const { issuedAt } = forecast
      const { profile } = server
      return [
        { serverId: server.id, windowEnd, issuedAt, served: false, model: id, profile, metrics },
      ]
    })
    stores.db.transaction(() => {
      for (const one of logged) stores.forecastLog.add(one)
    })()
  }

  return {
    refresh: (): Promise<void> =>
      (work = work.then(refresh).catch((error: unknown) => {
        log.warn({ err: error }, 'the challenger could not be opened')
      })),
    /** The rows of a batch that are logged; they are copied, and looked at when the cycle is through. */
    take({ batch, rows, windowEnd }: Windows, due: readonly number[]): void {
      if (!opened || isClosed) return
      if (waiting.length >= mostWaiting || performance.now() < restUntil) {
        leftOut += due.length
        return
      }
      waiting.push({
        batch: gatherRows(batch, due),
        rows: due.map((row) => rows[row]!),
        windowEnd,
      })
    },
    /** After a cycle: the challenger forecasts what was taken. */
    run(): void {
      if (isWorking || waiting.length === 0) return
      isWorking = true
      work = work
        .then(run)
        .catch((error: unknown) => log.warn({ err: error }, 'the challenger failed'))
        .finally(() => (isWorking = false))
    },
    /** Compares what it said with what was served and with what came; the last answer until then. */
    async compare(from: number): Promise<ShadowFigures | undefined> {
      if (!opened) return undefined
      const { id } = opened
      const sums = emptySums()
      for (const { id: serverId } of stores.servers.everyone()) {
        for (const pair of scores.of(serverId, from, id)) addPair(sums, pair)
        await nextTurn()
      }
      figures = { model: id, since: scores.firstOf(id), points: sums.points, wql: wqlOf(sums) }
      return figures
    },
    figures: (): ShadowFigures | undefined => figures,
    model: (): string | undefined => opened?.id,
    counters: () => ({ shadowLeftOut: leftOut }),
    idle: (): Promise<void> => work,
    async close(): Promise<void> {
      isClosed = true
      await work
      await opened?.forecaster.close()
    },
  }
}

type Opened = { readonly id: string; readonly forecaster: Forecaster }

type Sums = { points: number; readonly of: { challenger: number; served: number; truth: number }[] }
const emptySums = (): Sums => ({
  points: 0,
  of: networkMetricNames.map(() => ({ challenger: 0, served: 0, truth: 0 })),
})

const levels = loggedLevels.length

function addPair(sums: Sums, { part, truth, shadow, served }: ShadowPair): void {
  networkMetricNames.forEach((_, v) => {
    const y = truth[v]!
    const [ours, theirs] = [shadow[v], served[v]]
    if (!Number.isFinite(y) || !ours || !theirs) return
    const of = sums.of[v]!
    of.challenger += pinball(ours, part, y)
    of.served += pinball(theirs, part, y)
    of.truth += Math.abs(y)
    sums.points++
  })
}

function pinball(steps: Float32Array, part: number, y: number): number {
  let sum = 0
  loggedLevels.forEach((level, q) => {
    const miss = y - steps[part * levels + q]!
    sum += Math.max(level * miss, (level - 1) * miss)
  })
  return sum
}

function wqlOf({ of }: Sums): ShadowFigures['wql'] {
  const known = of.filter(({ truth }) => truth > 0)
  if (known.length === 0) return null
  const mean = (side: 'challenger' | 'served'): number =>
    known.reduce((sum, m) => sum + (2 * m[side]) / (levels * m.truth), 0) / known.length
  return { challenger: mean('challenger'), served: mean('served') }
}
