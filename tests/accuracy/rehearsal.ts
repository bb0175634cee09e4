import { simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import { networkMetricNames, type Readings } from '@harbinger/shared/metrics'
import { addSample, emptySeries, minuteMs, minuteOf } from '@harbinger/shared/window/series'
import { accuracyRoom } from '../../hub/src/accuracy/accuracy.ts'
import { forecastRows } from '../../hub/src/forecast/forecast-rows.ts'
import { keepQuarter } from '../../hub/src/storage/quarters.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { loadSeries } from '../../hub/src/storage/load-series.ts'
import { fleetBatches } from '../../hub/src/window/fleet-batches.ts'
import { fleetWindow } from '../../hub/src/window/fleet-window.ts'

export const stepMs = 5 * minuteMs
const quiet = { info() {}, warn() {}, error: console.error }

export type Sent = { readonly at: number; readonly readings: Readings }

/**
 * A hub without its network and its clock: a simulated fleet's samples go the way of real ones into SQLite and the
 * live window, forecasts are made of them, logged and scored. Everything that was sent is kept beside it, so that a
 * test can compute from raw samples.
 */
export function rehearsal({
  folder = ':memory:',
  seed = 1,
  size = 5,
  startAt = Date.UTC(2026, 1, 2),
}: {
  readonly folder?: string
  readonly seed?: number
  readonly size?: number
  readonly startAt?: number
} = {}) {
  const fleet = simulatedFleet({ seed, servers: size, startAt, faultsPerServerDay: 0 })
  const stores = openStores(folder)
  let now = startAt
  const window = fleetWindow((serverId, series) =>
    loadSeries(stores.rollups, { serverId, series, now }),
  )
  const servers = fleet.servers.map(({ name }) => stores.servers.register(name, startAt))
  const sent = new Map<number, Sent[]>(servers.map(({ id }) => [id, []]))
  const open = () =>
    accuracyRoom({
      ...{ stores, series: window.series, now: () => now, log: quiet },
      model: () => 'rehearsed',
    })
  let room = open()

  function send(i: number, at: number, readings: Readings): void {
    const { id } = servers[i]!
    sent.get(id)!.push({ at, readings })
    if (window.add(id, at, readings)) {
      stores.rollups.putMinute(id, minuteOf(at), window.minute(id, minuteOf(at))!)
    } else {
      const series = emptySeries({ minutes: 1, quarters: 1 })
      addSample(series, at, readings)
      stores.rollups.putMinute(id, minuteOf(at), series)
    }
    window.markQuarter(id, minuteOf(at))
    if (at > servers[i]!.newestAt) servers[i]!.newestAt = at
  }

  /** A model that says what "theta-like" says: no worse than that baseline, and known to the last digit. */
  async function forecast(): Promise<void> {
    const abstained: { server: string; reason: string }[] = []
    const batches = fleetBatches(servers, { series: window.series, now, abstained })
    for await (const { batch, rows, windowEnd } of batches) {
      const numbers = rowQuantiles(batch.size)
      for (let row = 0; row < batch.size; row++) {
        fillBaselineQuantiles(numbers, { batch, row, to: row }, 'theta-like')
      }
      const serves = Object.fromEntries(
        networkMetricNames.map((name) => [
          name,
          { contender: 'model' as const, reason: 'rehearsed' },
        ]),
      )
      const made = forecastRows({
        ...{ batch, windowEnd, issuedAt: now },
        rows: rows.map(({ server }) => ({
          ...{ server, slow: {} as never, instead: room.insteadOf(server) },
        })),
        network: { serving: { id: 'rehearsed', serves }, ...numbers },
      })
      await room.keep({ batch, rows, made, windowEnd, model: 'rehearsed' })
    }
  }

  return {
    stores,
    servers,
    sent,
    now: () => now,
    room: () => room,
    send,
    readingsAt: (i: number, at: number): Readings | undefined => fleet.readingsAt(i, at),
    /** The hub stops and starts again, on the same files. */
    async restart(): Promise<void> {
      await room.done()
      room = open()
      await room.idle()
    },
    /**
     * Lets time pass: a sample of every server every five minutes, scoring every minute, forecasts every quarter of
     * an hour while `forecasts`. What `change` returns is sent instead of what the simulator says; undefined is a gap.
     */
    async pass(
      ms: number,
      {
        forecasts = false,
        scoring = true,
        change = (readings) => readings,
      }: {
        readonly forecasts?: boolean
        /** False: a day to learn from. */
        readonly scoring?: boolean
        readonly change?: (readings: Readings, i: number, at: number) => Readings | undefined
      } = {},
    ): Promise<void> {
      for (const end = now + ms; now < end;) {
        for (let i = 0; i < servers.length; i++) {
          const readings = fleet.readingsAt(i, now)
          const changed = readings && change(readings, i, now)
          if (changed) send(i, now, changed)
        }
        for (let minute = 0; minute < stepMs; minute += minuteMs) {
          now += minuteMs
          for (const { serverId, quarter } of window.takeEndedQuarters(minuteOf(now))) {
            keepQuarter(stores.rollups, { serverId, quarter, series: window.series(serverId) })
          }
          if (forecasts && minuteOf(now) % 15 === 0) await forecast()
          if (scoring) await room.score(now)
        }
      }
    },
  }
}
