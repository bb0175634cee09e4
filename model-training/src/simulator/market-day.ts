import type { Profile } from '@harbinger/shared/profiles'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const minutesPerDay = 1440

type Points = readonly (readonly [hour: number, level: number])[]

/**
 * How busy a profile is by the local hour of a weekday: pre-market from 7, open 9:30 to 16, end of day to 19, batch
 * from 20 to 7. Only the shape matters; each is scaled to a mean of 1 over the day.
 */
const weekdayPoints: { readonly [profile in Profile]: Points } = {
  web_api: [
    [0, 0.4],
    [5, 0.36],
    [7, 0.75],
    [9, 1.35],
    [9.75, 1.62],
    [12.5, 1.5],
    [15.75, 1.65],
    [17, 1.15],
    [19, 0.8],
    [22, 0.52],
  ],
  data_ingest: [
    [0, 0.82],
    [5, 0.78],
    [7, 0.9],
    [9, 1.15],
    [9.75, 1.28],
    [12.5, 1.2],
    [15.75, 1.28],
    [17, 1.02],
    [20, 0.92],
  ],
  database: [
    [0, 0.84],
    [5, 0.78],
    [7, 0.9],
    [9.75, 1.04],
    [12.5, 1.0],
    [15.5, 1.08],
    [16.25, 1.28],
    [17.5, 1.34],
    [18.75, 1.26],
    [20, 0.96],
  ],
  risk_analytics: [
    [0, 0.93],
    [5, 0.88],
    [7, 0.86],
    [9.75, 0.98],
    [15.5, 1.02],
    [16.25, 1.18],
    [17.5, 1.22],
    [18.75, 1.17],
    [20, 1.0],
  ],
  ml_compute: [
    [0, 1.3],
    [5, 1.25],
    [7, 0.95],
    [9, 0.76],
    [13, 0.72],
    [17, 0.8],
    [20, 1.12],
    [22, 1.28],
  ],
  conductor_mgmt: [
    [0, 0.85],
    [5, 0.78],
    [8, 1.0],
    [10, 1.2],
    [16, 1.22],
    [18, 1.08],
    [20, 1.0],
  ],
  generic: [
    [0, 0.8],
    [5, 0.75],
    [9, 1.15],
    [12, 1.2],
    [16, 1.2],
    [18, 1.0],
    [22, 0.85],
  ],
}

/** A Saturday or Sunday against a weekday; markets are shut, batch and training go on. */
const weekendShare: { readonly [profile in Profile]: number } = {
  web_api: 0.45,
  data_ingest: 0.55,
  database: 0.6,
  risk_analytics: 0.6,
  ml_compute: 0.9,
  conductor_mgmt: 0.7,
  generic: 0.75,
}

/** The last two and the first business day of a month. */
const monthEndShare: { readonly [profile in Profile]: number } = {
  web_api: 1.05,
  data_ingest: 1.06,
  database: 1.06,
  risk_analytics: 1.05,
  ml_compute: 1,
  conductor_mgmt: 1.05,
  generic: 1,
}

const weekdayShape = Object.fromEntries(
  Object.entries(weekdayPoints).map(([profile, points]) => [profile, toShape(points)]),
) as { readonly [profile in Profile]: Float64Array }

/** Level per minute of the day, mean 1, the last point joined to the first across midnight. */
function toShape(points: Points): Float64Array {
  const shape = new Float64Array(minutesPerDay + 1)
  const [first, last] = [points[0]!, points.at(-1)!]
  const closed = [[last[0] - 24, last[1]], ...points, [first[0] + 24, first[1]]] as const
  let sum = 0
  for (let minute = 0; minute <= minutesPerDay; minute++) {
    const hour = minute / 60
    const next = closed.findIndex(([at]) => at >= hour)
    const [fromHour, from] = closed[next - 1]!
    const [toHour, to] = closed[next]!
    shape[minute] = from + ((to - from) * (hour - fromHour)) / (toHour - fromHour)
    if (minute < minutesPerDay) sum += shape[minute]!
  }
  const mean = sum / minutesPerDay
  return shape.map((level) => level / mean)
}

/** Where in the market's day and week an instant lies. */
export type MarketTime = {
  localMs: number
  /** 0 … 24 */
  hour: number
  /** Days since the epoch, local. */
  day: number
  /** 0 is Sunday. */
  weekday: number
  /** 1 on a weekday, 0 at the weekend, in between for an hour around midnight. */
  business: number
  monthEnd: boolean
}

/** Hours from UTC of New York: −4 from the second Sunday of March to the first of November, 2:00 local; else −5. */
export function newYorkOffsetHours(at: number): number {
  const year = new Date(at).getUTCFullYear()
  const begins = nthSunday(year, 2, 2) + 7 * hourMs
  const ends = nthSunday(year, 10, 1) + 6 * hourMs
  return at >= begins && at < ends ? -4 : -5
}

function nthSunday(year: number, month: number, n: number): number {
  const first = Date.UTC(year, month, 1)
  return first + (((7 - weekdayOf(first / dayMs)) % 7) + 7 * (n - 1)) * dayMs
}

/** 1970-01-01 was a Thursday. */
const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7

const isWorkday = (day: number): boolean => weekdayOf(day) % 6 !== 0

/** Tells market time; `utcOffsetHours` undefined is New York with its summer time. */
export function marketClock(utcOffsetHours?: number) {
  const time: MarketTime = {
    localMs: 0,
    hour: 0,
    day: 0,
    weekday: 0,
    business: 0,
    monthEnd: false,
  }
  let at = NaN
  let offsetHour = NaN
  let offset = 0
  let monthDay = NaN

  const offsetAt = (instant: number): number => {
    const hour = Math.floor(instant / hourMs)
    if (hour !== offsetHour) {
      offsetHour = hour
      offset = (utcOffsetHours ?? newYorkOffsetHours(instant)) * hourMs
    }
    return offset
  }

  return {
    offsetAt,
    /** The same object every time, rewritten. */
    timeAt(instant: number): MarketTime {
      if (instant === at) return time
      at = instant
      time.localMs = instant + offsetAt(instant)
      time.day = Math.floor(time.localMs / dayMs)
      time.hour = (time.localMs - time.day * dayMs) / hourMs
      time.weekday = weekdayOf(time.day)
      time.business = businessShare(time.day, time.hour)
      if (time.day !== monthDay) {
        monthDay = time.day
        time.monthEnd = isMonthEnd(time.day)
      }
      return time
    },
  }
}

function businessShare(day: number, hour: number): number {
  const today = isWorkday(day) ? 1 : 0
  if (hour < 1) return today + ((isWorkday(day - 1) ? 1 : 0) - today) * (0.5 - hour / 2)
  if (hour > 23) return today + ((isWorkday(day + 1) ? 1 : 0) - today) * ((hour - 23) / 2)
  return today
}

function isMonthEnd(day: number): boolean {
  if (!isWorkday(day)) return false
  const month = (d: number) => new Date(d * dayMs).getUTCMonth()
  const workday = (from: number, step: 1 | -1): number => {
    let next = from + step
    while (!isWorkday(next)) next += step
    return next
  }
  const next = workday(day, 1)
  return (
    month(workday(day, -1)) !== month(day) ||
    month(next) !== month(day) ||
    month(workday(next, 1)) !== month(day)
  )
}

/** How busy a profile is now against its mean over a weekday. */
export function shapeAt(profile: Profile, time: MarketTime): number {
  const shape = weekdayShape[profile]
  const minute = time.hour * 60
  const below = Math.floor(minute)
  const low = shape[below]!
  const level = low + (shape[below + 1]! - low) * (minute - below)
  const weekend = weekendShare[profile] * (1 + (level - 1) * 0.5)
  const weekday = time.monthEnd ? level * monthEndShare[profile] : level
  return weekend + (weekday - weekend) * time.business
}
