import type { TimeToThreshold } from '@harbinger/shared/api'
import { cpuUsed, type MetricName, metricNames, metrics } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { maxSilenceMinutes } from '@harbinger/shared/window/window'
import type { Presence } from '../risk/presence.ts'
import { fromNow, isExpected, isSooner, type Outlook } from './threshold-times.ts'

/** A forecast is made every minute; one this old is said to be. */
const staleForecastMinutes = 10
const horizonHours = 8

/** What is going on with one server, in plain words, with how sure that is. */
export function serverSentence(known: Outlook & { readonly presence: Presence }): string {
  const facts = { ...known, timeToThreshold: fromNow(known) }
  const { now, latest, forecast, presence } = facts
  if (!latest) return 'No sample has arrived yet.'
  if (presence.state === 'offline') return offlineSentence(presence, now)
  const silent = Math.floor((now - latest.at) / minuteMs)
  if (silent > maxSilenceMinutes) {
    if (presence.state === 'late') {
      return `${lateSentence(presence, now)} Nothing is known of how it is now; its last values are shown.`
    }
    return `Silent for ${duration(silent)}: nothing is known of how it is now.`
  }
  const late = presence.state === 'late' ? [lateSentence(presence, now)] : []
  const over = [
    ...late,
    ...metricNames.filter((name) => isOver(facts, name)).map((name) => overText(facts, name)),
  ]
  if (!forecast) return sentences(...over, 'No forecast has been made yet.')
  if (forecast.abstained !== null) {
    return sentences(...over, abstention(forecast.abstained))
  }
  const age = Math.floor((now - forecast.windowEnd) / minuteMs)
  const stale = age > staleForecastMinutes ? `The forecast is ${duration(age)} old.` : ''
  const coming = expected(facts).slice(0, 2)
  const outlook = coming.length > 0 ? coming : [quiet(over.length > late.length)]
  return sentences(...over, ...outlook, stale)
}

function offlineSentence({ why, since }: Presence, now: number): string {
  const unknown = 'Nothing is known of how it is now; its last values are shown.'
  const ago = since === null ? 'a time that is not known' : age(now - since)
  if (why === 'stopped') return `Offline: its agent was stopped ${ago} ago. ${unknown}`
  if (why === 'never') return `Offline: its agent has never been heard. ${unknown}`
  const lost = why === 'lost' ? 'its connection was lost; ' : ''
  return `Offline: ${lost}not heard for ${ago}. ${unknown}`
}

function lateSentence({ why, since }: Presence, now: number): string {
  const ago = since === null ? 'a time that is not known' : age(now - since)
  if (why === 'hub_deaf') return 'Late: the hub is not connected to its broker.'
  if (why === 'no_samples') return `Late: its agent is connected, but no sample came for ${ago}.`
  return `Late: not heard for ${ago}.`
}

/** 40 s, then minutes. */
const age = (ms: number): string =>
  ms < 2 * minuteMs ? `${Math.round(ms / 1000)} s` : duration(Math.floor(ms / minuteMs))

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
