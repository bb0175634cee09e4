import type { ForecastLogStore } from '../storage/forecast-log-store.ts'
import { inSlices } from '../window/slices.ts'
import type { Scored } from './scorer.ts'
import { addHour, addScore, emptyHour, fromText, type HourSums, toText } from './sums.ts'

export const hourMs = 3_600_000
export const hourOf = (at: number): number => Math.floor(at / hourMs)
/** The longest span a scorecard looks back. */
export const keptHours = 7 * 24

export type Ledger = ReturnType<typeof ledger>

/**
 * The sums of the last seven days, hour by hour. They are what the log says and nothing else: an hour is kept when it
 * is over so that a hub that starts need not read the whole log again, and `sumsOfLog` makes the same from the log.
 */
export function ledger(log: ForecastLogStore) {
  const hours = new Map<number, HourSums>()
  const kept = new Set<number>()
  /** What the hours before the running one come to, by how many they are. */
  const closed = new Map<number, { readonly hour: number; readonly sums: HourSums }>()

  const hour = (number: number): HourSums => {
    let sums = hours.get(number)
    if (!sums) hours.set(number, (sums = emptyHour()))
    return sums
  }

  return {
    /** Takes up what was kept, and adds up what was not. */
    async open(now: number): Promise<void> {
      const last = hourOf(now)
      await inSlices(log.hours(last - keptHours), ({ hour: number, sums }) => {
        hours.set(number, fromText(sums))
        kept.add(number)
      })
      for (let number = last - keptHours; number <= last; number++) {
        if (kept.has(number)) continue
        const scores = log.scoresInOrder(number * hourMs, (number + 1) * hourMs)
        await inSlices(scores, ({ score, row }) => addScore(hour(number), score, row))
      }
    },
    add: ({ score, row }: Scored): void => addScore(hour(hourOf(score.scoredAt)), score, row),
    /** Before the round that is due at `at`: hours that are over are kept, those too old forgotten. */
    async turn(at: number): Promise<void> {
      await inSlices([...hours], ([number, sums]) => {
        if (number < hourOf(at) && !kept.has(number)) {
          log.putHour(number, toText(sums))
          kept.add(number)
        }
        if (number <= hourOf(at) - keptHours - 1) {
          hours.delete(number)
          kept.delete(number)
        }
      })
    },
    /** Before `total` of a new hour: adds up the hours that are over, which takes longer than one slice. */
    async sumUp(at: number, counts: readonly number[]): Promise<void> {
      for (const count of counts) {
        if (closed.get(count)?.hour === hourOf(at)) continue
        const sums = emptyHour()
        await inSlices(lastHours(hours, at - hourMs, count - 1), (hour) => addHour(sums, hour))
        closed.set(count, { hour: hourOf(at), sums })
      }
    },
    /** The hours up to that of `at`, oldest first. */
    last: (at: number, count: number): HourSums[] => lastHours(hours, at, count),
    /** All of them together. Only the running hour changes, so the others are added up once an hour. */
    total(at: number, count: number): HourSums {
      let before = closed.get(count)
      if (before?.hour !== hourOf(at)) {
        before = { hour: hourOf(at), sums: totalOf(lastHours(hours, at - hourMs, count - 1)) }
        closed.set(count, before)
      }
      return totalOf([before.sums, ...lastHours(hours, at, 1)])
    },
  }
}

function totalOf(hours: readonly HourSums[]): HourSums {
  const total = emptyHour()
  for (const hour of hours) addHour(total, hour)
  return total
}

const lastHours = (hours: ReadonlyMap<number, HourSums>, at: number, count: number): HourSums[] =>
  Array.from({ length: count }, (_, i) => hours.get(hourOf(at) - count + 1 + i)).filter(
    (sums) => sums !== undefined,
  )

/** The same hours from the log alone, up to the round that was due at `at`. */
export function sumsOfLog(
  log: Pick<ForecastLogStore, 'scoresInOrder'>,
  at: number,
): Pick<Ledger, 'total'> {
  const hours = new Map<number, HourSums>()
  for (const { score, row } of log.scoresInOrder((hourOf(at) - keptHours + 1) * hourMs, at + 1)) {
    const number = hourOf(score.scoredAt)
    if (!hours.has(number)) hours.set(number, emptyHour())
    addScore(hours.get(number)!, score, row)
  }
  return { total: (until, count) => totalOf(lastHours(hours, until, count)) }
}
