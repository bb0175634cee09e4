import type { Server } from './server-store.ts'
import type { RollupStore } from './rollup-store.ts'
import type { SampleStore } from './sample-store.ts'

/** How long each tier is kept, in days. */
export type Retention = {
  readonly rawDays: number
  readonly minuteDays: number
  readonly quarterDays: number
}

export const defaultRetention: Retention = { rawDays: 2, minuteDays: 14, quarterDays: 400 }

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const minuteMs = 60_000
const quarterMs = 15 * minuteMs

/**
 * What is to be deleted now, a little at a time: each step of the generator deletes a few hundred rows of one
 * server, so that the caller can let others have their turn in between. Yields how many rows went.
 */
export function* forgetOld(
  { samples, rollups }: { readonly samples: SampleStore; readonly rollups: RollupStore },
  { servers, now, retention }: { servers: Iterable<Server>; now: number; retention: Retention },
): Generator<number> {
  for (const { id } of servers) {
    yield* untilNone(() => samples.forgetBefore(id, now - retention.rawDays * dayMs, hourMs))
    const minute = Math.floor((now - retention.minuteDays * dayMs) / minuteMs)
    yield* untilNone(() => rollups.forgetMinutesBefore(id, minute, 360))
    const quarter = Math.floor((now - retention.quarterDays * dayMs) / quarterMs)
    yield* untilNone(() => rollups.forgetQuartersBefore(id, quarter, 360))
  }
}

function* untilNone(step: () => number): Generator<number> {
  for (let n = step(); n > 0; n = step()) yield n
}
