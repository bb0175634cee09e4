import type { Accuracy, Drift } from '@harbinger/shared/accuracy'
import type { Adapted } from '@harbinger/shared/forecast/calibrate'
import {
  type Calibrator,
  type CalibratorState,
  openCalibrator,
} from '@harbinger/shared/forecast/calibrator'
import type { Series } from '@harbinger/shared/window/series'
import type { Instead } from '../forecast/forecast-rows.ts'
import type { Log } from '../log.ts'
import type { ForecastLogStore } from '../storage/forecast-log-store.ts'
import { logDays } from '../storage/forecast-log-store.ts'
import type { HubStores } from '../storage/stores.ts'
import { inSlices, nextTurn } from '../window/slices.ts'
import { driftWatch } from './drift-watch.ts'
import { logKeeper } from './keep-log.ts'
import { ledger as openLedger, sumsOfLog } from './ledger.ts'
import { toScorecards, windowHours } from './scorecard.ts'
import { asMatured, chancesOf, observationsOf } from './observe.ts'
import { dueScores, type Scored } from './scorer.ts'

export type AccuracyOptions = {
  readonly stores: Omit<HubStores, 'close'>
  readonly series: (serverId: number) => Series
  readonly now: () => number
  /** The id of the model that serves; null while only baselines do. */
  readonly model: () => string | null
  /** Called once when a drift is found: the place to ask for a training. */
  readonly onDrift?: ((drift: Drift) => void) | undefined
  readonly log: Log
}

export type AccuracyRoom = ReturnType<typeof accuracyRoom>

/** Some 5 ms of writing. */
const perTransaction = 128
const dayMs = 86_400_000

/** Keeps what was forecast, compares it with what came, and watches for drift. */
export function accuracyRoom({ stores, series, now, model, onDrift, log }: AccuracyOptions) {
  const { db, servers, forecastLog } = stores
  const keepLog = logKeeper(stores)
  const ledger = openLedger(forecastLog)
  const drift = driftWatch({
    ...{ store: stores.drift, now: now(), servers: servers.all, series, ledger },
    onDrift(found) {
      log.warn({ ...found }, 'drift found')
      onDrift?.(found)
    },
  })
  let calibrator: { readonly model: string; readonly learns: Calibrator } | undefined
  let windows: Accuracy['windows'] = []
  let scoredTo = 0
  let stopped = false
  let work = ledger.open(now()).then(async () => {
    scoredTo = forecastLog.scoredTo()
    if (scoredTo > 0) await tell(scoredTo)
  })
  let waiting = false

  const keep = db.transaction((scored: readonly Scored[]) => {
    for (const { score } of scored) forecastLog.addScore(score)
  })

  /** The calibrator of the model that serves, with what it had learnt; another model begins anew. */
  function calibratorNow(): Calibrator {
    const id = model() ?? ''
    if (calibrator?.model !== id) {
      const state = forecastLog.calibrator(id)
      const kept = state === undefined ? undefined : (JSON.parse(state) as CalibratorState)
      calibrator = { model: id, learns: openCalibrator(kept) }
    }
    return calibrator.learns
  }

  async function tell(at: number): Promise<void> {
    await ledger.sumUp(at, windowHours)
    windows = toScorecards(ledger, at)
  }

  /** Only what this model (or a baseline beside it) said teaches anything about its bands. */
  async function learn(scored: readonly Scored[]): Promise<void> {
    if (scored.length === 0) return
    const id = model()
    const learns = calibratorNow()
    const own = asMatured(scored.filter(({ row }) => row.model === id))
    await inSlices(observationsOf(own), learns.observe)
    await inSlices(chancesOf(own), learns.observeChance)
    forecastLog.putCalibrator(id ?? '', JSON.stringify(learns.state()))
  }

  async function round(at: number): Promise<void> {
    if (at <= scoredTo) return
    await ledger.turn(at)
    const scored = await dueScores(stores, { at, series })
    for (let from = 0; from < scored.length && !stopped; from += perTransaction) {
      const some = scored.slice(from, from + perTransaction)
      keep(some)
      for (const one of some) ledger.add(one)
      await nextTurn()
    }
    if (stopped) return
    await learn(scored)
    forecastLog.setScoredTo(at)
    scoredTo = at
    await tell(at)
    await nextTurn()
    drift.judge(at, model())
    await nextTurn()
    await drift.look(at)
  }

  async function forget(at: number): Promise<void> {
    while (!stopped && forecastLog.forgetBefore(at - logDays * dayMs, 256) > 0) await nextTurn()
    drift.forgetBefore(at)
  }

  const inTurn = (what: string, job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((error: unknown) => {
      log.error({ err: error }, `${what} failed and is tried again`)
    }))

  return {
    /** Within a cycle: see logKeeper. */
    keep: keepLog,
    /** Once a minute: scores what has matured and looks for drift. One that falls due while another runs is left out. */
    async score(at: number): Promise<void> {
      if (waiting) return
      waiting = true
      await inTurn('scoring forecasts', () => round(at)).finally(() => {
        waiting = false
      })
    },
    retention: (at: number) => inTurn('forgetting old forecasts', () => forget(at)),
    /** The metrics of a server that the baseline serves meanwhile, with the reason; undefined when none. */
    insteadOf(name: string): Instead | undefined {
      const server = servers.find(name)
      return server && drift.insteadOf(server.profile)
    },
    /** What matured truth says of the bands and chances of the model that serves. */
    adapted(): Adapted {
      const learnt = calibratorNow()
      return { bands: learnt.adapted().slice(), curves: learnt.curves() }
    },
    problems: drift.problems,
    answer: (): Accuracy => ({
      ...answerOf(forecastLog, { windows, scoredTo }),
      drift: drift.state(now()),
    }),
    idle: (): Promise<void> => work,
    /** Settles when what runs is through; starts nothing more. */
    done(): Promise<void> {
      stopped = true
      return work
    },
  }
}

function answerOf(
  forecastLog: Pick<ForecastLogStore, 'first'>,
  { windows, scoredTo }: { windows: Accuracy['windows']; scoredTo: number },
): Omit<Accuracy, 'drift'> {
  const first = forecastLog.first()
  return {
    at: scoredTo > 0 ? new Date(scoredTo).toISOString() : null,
    since: first === undefined ? null : new Date(first).toISOString(),
    windows,
  }
}

/** The same answer from the log alone; what it was at an earlier round when `at` is given. */
export function recompute(
  forecastLog: ForecastLogStore,
  at = forecastLog.scoredTo(),
): Omit<Accuracy, 'drift'> {
  const windows = at > 0 ? toScorecards(sumsOfLog(forecastLog, at), at) : []
  return answerOf(forecastLog, { windows, scoredTo: at })
}
