import type { TrainingRow } from '../storage/training-store.ts'

/** When a hub may train by itself; an operator may at any time. */
export type TrainingLimits = {
  /** Days from one scheduled training to the next; 0: no schedule. */
  readonly everyDays: number
  readonly hoursBetween: number
  readonly perWeek: number
  /** No training starts by itself in these hours of the hub's day; undefined: at any hour. */
  readonly quietHours: QuietHours | undefined
  /** How long one may learn. */
  readonly minutes: number
}

/** Minutes of the day in the hub's time zone; the end may be on the next day. */
export type QuietHours = { readonly from: number; readonly to: number }

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** "08:00-18:00", or nothing; undefined where it is neither. */
export function parseQuietHours(text: string): QuietHours | 'none' | undefined {
  if (text.trim() === '') return 'none'
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text.trim())
  if (!match) return undefined
  const [from, to] = [60 * +match[1]! + +match[2]!, 60 * +match[3]! + +match[4]!]
  return from === to ? undefined : { from, to }
}

export function isQuiet(quiet: QuietHours | undefined, at: number): boolean {
  if (!quiet) return false
  const date = new Date(at)
  const minute = 60 * date.getHours() + date.getMinutes()
  return quiet.from < quiet.to
    ? minute >= quiet.from && minute < quiet.to
    : minute >= quiet.from || minute < quiet.to
}

/** Why the hub may not begin a training by itself just now; undefined when it may. */
export function mustWait(
  { hoursBetween, perWeek, quietHours }: TrainingLimits,
  { now, past }: { readonly now: number; readonly past: readonly TrainingRow[] },
): string | undefined {
  const begun = past.flatMap(({ startedAt }) => startedAt ?? []).filter((at) => at <= now)
  const last = Math.max(-Infinity, ...begun)
  const next = last + hoursBetween * hourMs
  if (now < next) {
    return `${hoursBetween} h lie between two trainings: not before ${new Date(next).toISOString()}`
  }
  const lately = begun.filter((at) => at > now - 7 * dayMs)
  if (lately.length >= perWeek) {
    const free = Math.min(...lately) + 7 * dayMs
    return `${perWeek} trainings a week are enough: not before ${new Date(free).toISOString()}`
  }
  return isQuiet(quietHours, now) ? 'it is a quiet hour (training.quietHours)' : undefined
}

/** Whether the schedule asks for a training now; `since` (ms) is when this hub began to keep count. */
export function isScheduled(
  { everyDays }: TrainingLimits,
  { now, past, since }: { now: number; past: readonly TrainingRow[]; since: number },
): boolean {
  if (everyDays === 0) return false
  const last = Math.max(since, ...past.map(({ requestedAt }) => requestedAt))
  return now - last >= everyDays * dayMs
}
