import type { Profile } from '@harbinger/shared/profiles'
import { minuteMs, type Series } from '@harbinger/shared/window/series'
import { abstainReason, fillWindow } from '@harbinger/shared/window/window'
import { type WindowBatch, windowBatch } from '@harbinger/shared/window/window-batch'
import { estimateInterval } from './interval.ts'
import { inSlices } from './slices.ts'

export type WindowedServer = {
  readonly id: number
  readonly name: string
  readonly profile: Profile
  readonly cores: number | undefined
  readonly inventory:
    { readonly memoryBytes?: number; readonly interval?: { readonly seconds: number } } | undefined
}

/** Windows of some servers, all ending at `windowEnd`. */
export type FleetBatch = {
  readonly batch: WindowBatch
  readonly rows: readonly { readonly server: string; readonly series: Series }[]
  readonly windowEnd: number
}

/**
 * Minutes from one sample to the next. What a day of samples shows goes on for hours after the interval became longer;
 * then the minutes between two samples would count as not measured.
 */
const minutesBetween = (series: Series, { inventory }: WindowedServer): number =>
  Math.max(estimateInterval(series), Math.ceil((inventory?.interval?.seconds ?? 0) / 60))

/** So many windows are 4.5 MB. */
const rowsPerBatch = 128

/**
 * Says of every server why it has no forecast, or puts its window into a batch. Batches come one by one, and the
 * event loop has its turn in between.
 */
export async function* fleetBatches(
  servers: readonly WindowedServer[],
  {
    series,
    now,
    abstained,
  }: {
    readonly series: (id: number) => Series
    readonly now: number
    /** Filled with those who have none. */
    readonly abstained: { server: string; reason: string }[]
  },
): AsyncGenerator<FleetBatch> {
  const ready: { server: WindowedServer; series: Series }[] = []
  await inSlices(servers, (server) => {
    const known = series(server.id)
    known.intervalMinutes = minutesBetween(known, server)
    const reason = abstainReason(known, now)
    if (reason === undefined) ready.push({ server, series: known })
    else abstained.push({ server: server.name, reason })
  })
  if (ready.length === 0 && abstained.length > 0) {
    const windowEnd = Math.floor(now / minuteMs) * minuteMs
    yield { batch: windowBatch(0), rows: [], windowEnd }
  }
  // Three in turn: one is filled while another is being forecast and the one before it kept. New ones each time were
  // 70 MB of garbage a cycle.
  const batches = [0, 1, 2].map(() => windowBatch(Math.min(rowsPerBatch, ready.length)))
  for (let from = 0; from < ready.length; from += rowsPerBatch) {
    const rows = ready.slice(from, from + rowsPerBatch)
    const batch = batches[(from / rowsPerBatch) % batches.length]!
    let windowEnd = 0
    await inSlices(rows.entries(), ([row, { server, series }]) => {
      const { profile, cores, inventory } = server
      const context = { profile, cores, memoryBytes: inventory?.memoryBytes }
      windowEnd = fillWindow(batch, row, { series, now, context })
    })
    yield {
      batch,
      rows: rows.map(({ server, series }) => ({ server: server.name, series })),
      windowEnd,
    }
  }
}
