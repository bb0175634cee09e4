import { type MetricName, metrics, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'
import type { DriftStore, Episode } from '../storage/drift-store.ts'
import { type GroupInputs, otherServers } from './group-inputs.ts'
import { recentMinutes, weekQuarters } from './recent-inputs.ts'
import {
  binomialTail,
  blockMaxima,
  blockMiddles,
  blockQuarters,
  middleOf,
  returnLevel,
} from './return-level.ts'

const quarterMs = 15 * minuteMs
/** The tests look back so far. */
const historyQuarters = 2 * weekQuarters
/** All tests of a feed together are to be wrong once in so many years. */
const falseAlarmYears = 1
/** A day of knowing which readings come. */
const fewestMissingQuarters = 96
/** Found twice in a row: one odd cycle is not a drift. */
const confirmations = 2
/** Over when it is this much below what began it, so that it does not come and go. */
const overBelow = 0.7
const missingEndsMs = 24 * 60 * minuteMs

type Found = { readonly detail: string }
type Kind = 'input shift' | 'missing readings'
/** Every quarter of an hour of one metric of one group: NaN where it could not be told. */
type Feed = { shift: number[]; expected: number; missing: number; quarters: number }

export type FeedWatch = ReturnType<typeof feedWatch>

/**
 * Tells whether the readings of a group of servers are still the readings they were: their level against the week
 * before, and whether they come at all. What is unusual is what this fleet's own last two weeks did not show.
 */
export function feedWatch(store: Pick<DriftStore, 'putHistory' | 'history'>, now: number) {
  const feeds = new Map<string, Feed>()
  const levels = new Map<string, { fast: number | undefined; slow: number | undefined }>()
  const streaks = new Map<string, number>()
  let lastQuarter = Math.floor(now / quarterMs)
  let at = lastQuarter - historyQuarters

  const feedOf = (key: string): Feed => {
    let feed = feeds.get(key)
    if (!feed) {
      // A group that is new has no past: as long as the others, and unknown.
      feed = {
        shift: Array<number>(Math.max(0, lastQuarter - at)).fill(NaN),
        expected: 0,
        missing: 0,
        quarters: 0,
      }
      feeds.set(key, feed)
    }
    return feed
  }

  /** Adds one quarter of an hour: per key the shift, expected and missing. */
  function remember(
    quarter: number,
    values: { readonly [key: string]: readonly (number | null)[] },
  ) {
    const gap = Math.min(historyQuarters, Math.max(0, quarter - lastQuarter - 1))
    lastQuarter = quarter
    for (const key of Object.keys(values)) feedOf(key)
    for (const [key, feed] of feeds) {
      const [shift, expected, missing] = values[key] ?? [null, 0, 0]
      for (let i = 0; i < gap; i++) feed.shift.push(NaN)
      feed.shift.push(shift ?? NaN)
      feed.shift.splice(0, feed.shift.length - historyQuarters)
      feed.expected += expected ?? 0
      feed.missing += missing ?? 0
      feed.quarters += (expected ?? 0) > 0 ? 1 : 0
    }
    levels.clear()
  }

  const stored = store.history(now - historyQuarters * quarterMs)
  if (stored.length > 0) lastQuarter = at = stored[0]!.at - 1
  for (const { at: quarter, body } of stored) {
    remember(quarter, JSON.parse(body) as { [key: string]: (number | null)[] })
  }

  function levelsOf(key: string) {
    let found = levels.get(key)
    if (!found) {
      const { shift } = feedOf(key)
      const years = falseAlarmYears * Math.max(1, feeds.size) * 2
      found = {
        fast: returnLevel(blockMaxima(shift), years),
        slow: returnLevel(blockMiddles(shift), years),
      }
      levels.set(key, found)
    }
    return found
  }

  function shifted(
    key: string,
    { shift, compared }: GroupInputs,
    share: number,
  ): Found | undefined {
    const { fast, slow } = levelsOf(key)
    if (fast === undefined || slow === undefined || Number.isNaN(shift)) return undefined
    const lately = feedOf(key)
      .shift.slice(-blockQuarters)
      .filter((value) => !Number.isNaN(value))
    const long = 2 * lately.length >= blockQuarters ? middleOf(lately) : 0
    const isFast = Math.abs(shift) > share * fast
    const isSlow = Math.abs(long) > share * slow && Math.abs(shift) > share * slow
    if (!isFast && !isSlow) return undefined
    const usual = isFast ? fast : slow
    return {
      detail: `is ${times(shift)} what it was a week ago on the middle one of ${compared} servers; without drift it stays within ${times(-usual)} and ${times(usual)}`,
    }
  }

  function lost(key: string, { expected, missing }: GroupInputs): Found | undefined {
    const feed = feedOf(key)
    if (feed.quarters < fewestMissingQuarters || missing < 2 || 4 * missing < expected)
      return undefined
    const usual = (feed.missing + 1) / (feed.expected + 2)
    // The same bar as above: once in so many years, looked at every 6 hours' block.
    const rate = blockQuarters / (365.25 * 96 * falseAlarmYears * Math.max(1, feeds.size))
    if (binomialTail(missing, expected, Math.min(0.999, usual)) > rate) return undefined
    return {
      detail: `is no longer measured on ${missing} of ${expected} servers that measured it yesterday; usually ${percent(usual)} of them are`,
    }
  }

  /** What is found again and again in one key. */
  function confirmed(key: string, kind: Kind, found: Found | undefined): Found | undefined {
    const id = `${kind} ${key}`
    const streak = found ? (streaks.get(id) ?? 0) + 1 : 0
    streaks.set(id, streak)
    return streak >= confirmations ? found : undefined
  }

  return {
    /** Looks at what the groups say now. Returns what began and what is over. */
    look(
      groups: ReadonlyMap<string, readonly GroupInputs[]>,
      time: number,
      episodes: readonly Episode[],
    ) {
      const began: Omit<Episode, 'id' | 'endedAt'>[] = []
      const over: Episode[] = []
      const values: { [key: string]: (number | null)[] } = {}
      for (const [group, inputs] of groups) {
        for (let v = 0; v < V; v++) {
          const metric = networkMetricNames[v]!
          const key = `${group}|${metric}`
          const mine = episodes.filter((one) => one.metric === metric && one.group === group)
          const open = (kind: Kind) =>
            mine.find((one) => one.signal === kind && one.endedAt === null)
          const input = { ...inputs[v]!, shift: comparable(inputs[v]!.shift, mine, time) }
          feedOf(key)
          const isOpen = open('input shift')
          if (isOpen) {
            const still = Number.isNaN(input.shift) ? undefined : shifted(key, input, overBelow)
            if (!confirmedOver(isOpen, still, time)) values[key] = [null, 0, 0]
            else over.push(isOpen)
          } else {
            const found = confirmed(key, 'input shift', shifted(key, input, 1))
            if (found) began.push(episode('input shift', metric, group, time, found))
          }
          const gone = open('missing readings')
          if (gone) {
            const back = 4 * input.missing < Math.max(4, input.expected)
            if ((back && input.measured > 0) || time - gone.beganAt > missingEndsMs) over.push(gone)
            else values[key] = [null, 0, 0]
          } else {
            const found = confirmed(key, 'missing readings', lost(key, input))
            if (found) began.push(episode('missing readings', metric, group, time, found))
          }
          const isQuiet = !isOpen && !gone && (streaks.get(`input shift ${key}`) ?? 0) === 0
          values[key] ??= isQuiet
            ? [rounded(input.shift), input.expected, input.missing]
            : [null, 0, 0]
        }
      }
      const quarter = Math.floor(time / quarterMs)
      if (quarter > lastQuarter) {
        store.putHistory(quarter, JSON.stringify(values))
        remember(quarter, values)
      }
      return { began, over }
    },
    /** How many tests can say something, and how many cannot yet. */
    readiness() {
      const all = [...feeds.keys()]
      const shift = all.filter((key) => levelsOf(key).fast !== undefined).length
      const lost = [...feeds.values()].filter((f) => f.quarters >= fewestMissingQuarters).length
      return {
        shift: { watched: shift, learning: all.length - shift },
        missing: { watched: lost, learning: all.length - lost },
      }
    },
  }

  function confirmedOver(open: Episode, still: Found | undefined, time: number): boolean {
    const id = `over ${open.id}`
    const streak = still ? 0 : (streaks.get(id) ?? 0) + 1
    streaks.set(id, streak)
    return streak >= confirmations && time - open.beganAt >= recentMinutes * minuteMs
  }
}

/** Not compared with a week that was itself a drift that is over. */
function comparable(shift: number, mine: readonly Episode[], time: number): number {
  const then = time - weekQuarters * quarterMs
  const wasOdd = mine.some(
    ({ signal, beganAt, endedAt }) =>
      signal === 'input shift' &&
      endedAt !== null &&
      then >= beganAt - 2 * recentMinutes * minuteMs &&
      then <= endedAt + 2 * recentMinutes * minuteMs,
  )
  return wasOdd ? NaN : shift
}

const episode = (
  signal: Kind,
  metric: Episode['metric'],
  group: string,
  beganAt: number,
  { detail }: Found,
): Omit<Episode, 'id' | 'endedAt'> => ({
  ...{ signal, metric, group, beganAt, fallsBack: true },
  detail: `${metricWord(metric)} of ${groupWord(group)} ${detail}`,
})

/** The screen never shows idle. */
export const metricWord = (metric: MetricName): string =>
  metric === 'cpu_idle_pct' ? 'CPU used' : metrics[metric].label

/** How a group of servers is called. */
export const groupWord = (group: string | null): string =>
  group === null
    ? 'all servers'
    : group === otherServers
      ? 'the servers of small profiles'
      : `${group} servers`

const rounded = (value: number): number | null =>
  Number.isNaN(value) ? null : Math.round(value * 1e4) / 1e4
const times = (log: number): string => `${Number(Math.exp(log).toPrecision(2))} ×`
const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`
