import { minuteOf, type Series } from '@harbinger/shared/window/series'
import type { Log } from '../log.ts'
import { keepQuarter } from './quarters.ts'
import { forgetOld, type Retention } from './retention.ts'
import type { HubStores } from './stores.ts'

type QuarterWindow = {
  readonly series: (serverId: number) => Series
  readonly takeEndedQuarters: (
    end: number,
  ) => readonly { readonly serverId: number; readonly quarter: number }[]
  readonly markQuarter: (serverId: number, minute: number) => void
}

/** Some 5 ms of work. */
const quartersPerTransaction = 128
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What is done beside the flow: quarters closed, old rows forgotten; in small steps, so that nobody waits for it. */
export function housekeeping(
  { db, servers, samples, rollups }: Omit<HubStores, 'close'>,
  {
    window,
    retention,
    log,
  }: { readonly window: QuarterWindow; readonly retention: Retention; readonly log: Log },
) {
  let stopped = false
  let work: Promise<void> = Promise.resolve()

  const inTurn = (what: string, job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((error: unknown) => {
      log.error({ err: error }, `${what} failed and is tried again`)
    }))

  async function closeQuarters(now: number): Promise<void> {
    const ended = window.takeEndedQuarters(minuteOf(now))
    const keep = db.transaction((some: typeof ended) => {
      for (const { serverId, quarter } of some) {
        keepQuarter(rollups, { serverId, quarter, series: window.series(serverId) })
      }
    })
    for (let from = 0; from < ended.length && !stopped; from += quartersPerTransaction) {
      const some = ended.slice(from, from + quartersPerTransaction)
      try {
        keep(some)
      } catch (error) {
        for (const { serverId, quarter } of ended.slice(from)) {
          window.markQuarter(serverId, quarter * 15)
        }
        throw error
      }
      await nextTurn()
    }
  }

  async function forget(now: number): Promise<void> {
    for (const _ of forgetOld(
      { samples, rollups },
      { servers: servers.everyone(), now, retention },
    )) {
      if (stopped) return
      await nextTurn()
    }
  }

  return {
    quarters: (now: number) => inTurn('closing quarters', () => closeQuarters(now)),
    retention: (now: number) => inTurn('forgetting old samples', () => forget(now)),
    /** Stops at the next step; settles when it has. */
    done(): Promise<void> {
      stopped = true
      return work
    },
  }
}
