import type { TimeToThreshold } from '@harbinger/shared/api'
import { cpuUsed, type MetricName, metricNames, metrics } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { maxSilenceMinutes } from '@harbinger/shared/window/window'
import { fromNow, isExpected, isSooner, type Outlook } from './threshold-times.ts'

/** A forecast is made every minute; one this old is said to be. */
const staleForecastMinutes = 10
const horizonHours = 8

/** What is going on with one server, in plain words, with how sure that is. */
export function serverSentence(known: Outlook): string {
  const facts = { ...known, timeToThreshold: fromNow(known) }
  const { now, latest, forecast } = facts
  if (!latest) return 'No sample has arrived yet.'
  const silent = Math.floor((now - latest.at) / minuteMs)
  if (silent > maxSilenceMinutes) {
    return `Silent for ${duration(silent)}: nothing is known of how it is now.`
  }
  const over = metricNames
    .filter((name) => isOver(facts, name))
    .map((name) => overText(facts, name))
  if (!forecast) return sentences(...over, 'No forecast has been made yet.')
  if (forecast.abstained !== null) {
    return sentences(...over, abstention(forecast.abstained))
  }
  const age = Math.floor((now - forecast.windowEnd) / minuteMs)
  const stale = age > staleForecastMinutes ? `The forecast is ${duration(age)} old.` : ''
  const coming = expected(facts).slice(0, 2)
  const outlook = coming.length > 0 ? coming : [quiet(over.length > 0)]
  return sentences(...over, ...outlook, stale)
}

const sentences = (...parts: string[]): string => parts.filter(Boolean).join(' ')

const quiet = (isOverAlready: boolean): string =>
  isOverAlready
    ? `Nothing else is expected to reach its limit within ${horizonHours} h.`
    : `Nothing is expected to reach its limit within ${horizonHours} h.`

const abstention = (reason: string): string =>
  reason.startsWith('learning') ? `${capital(reason)}.` : `No forecast: ${reason}.`

const readingOf = ({ latest }: Outlook, name: MetricName): number | undefined =>
  latest && (name === 'cpu_idle_pct' ? cpuUsed(latest.readings) : latest.readings[name])

function isOver(facts: Outlook, name: MetricName): boolean {
  const time = facts.timeToThreshold[name]
  const reading = readingOf(facts, name)
  return time !== undefined && reading !== undefined && reading >= limitOf(name, time)
}

/** Of idle the threshold is a floor: 2 % idle is 98 % used. */
const limitOf = (name: MetricName, { threshold }: TimeToThreshold): number =>
  name === 'cpu_idle_pct' ? 100 - threshold : threshold

const overText = (facts: Outlook, name: MetricName): string =>
  `${label(name)} is at ${amount(readingOf(facts, name)!, name)}, its limit is ${amount(limitOf(name, facts.timeToThreshold[name]!), name)}.`

/** What may reach its threshold and has not yet, soonest first. */
function expected(facts: Outlook): string[] {
  return metricNames
    .flatMap((name) => {
      const time = facts.timeToThreshold[name]
      if (!time || !isExpected(time) || isOver(facts, name)) return []
      return [{ name, time }]
    })
    .sort((a, b) => (isSooner(a.time, b.time) ? -1 : 1))
    .map(({ name, time }) => expectation(name, time))
}

function expectation(name: MetricName, time: TimeToThreshold): string {
  const what = `${label(name)} may reach ${amount(limitOf(name, time), name)}`
  const earliest = `earliest ${when(time.earliestMinutes ?? time.medianMinutes!)}`
  const within = time.withinMinutes ? duration(time.withinMinutes) : `${horizonHours} h`
  if (time.medianMinutes === null) {
    return `${what} within ${within} (${likely(time.probability)}, ${earliest}).`
  }
  const about =
    time.medianMinutes < 15 ? 'within 15 min' : `in about ${duration(time.medianMinutes)}`
  return `${what} ${about} (${likely(time.probability)} within ${within}, ${earliest}).`
}

const when = (minutes: number): string => (minutes < 1 ? 'now' : `in ${duration(minutes)}`)

/** The forecast says nothing beyond its outer quantiles. */
function likely(probability: number): string {
  if (probability >= 0.98) return 'at least 98 % likely'
  if (probability <= 0.02) return 'less than 2 % likely'
  return `${Math.round(100 * probability)} % likely`
}

/** The screen never shows idle. */
const label = (name: MetricName): string =>
  name === 'cpu_idle_pct' ? 'CPU used' : metrics[name].label

function amount(value: number, name: MetricName): string {
  const { unit } = metrics[name]
  const digits = unit === 'sockets' ? 0 : 1
  const text = String(Number(value.toFixed(digits)))
  return unit === 'load' ? text : `${text} ${unit}`
}

/** 45 min, 2 h, 2 h 15 min, 3 d. */
export function duration(minutes: number): string {
  const whole = Math.round(minutes)
  if (whole < 60) return `${whole} min`
  const hours = Math.floor(whole / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} d`
  return whole % 60 === 0 ? `${hours} h` : `${hours} h ${whole % 60} min`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
