import type { Metric } from '@harbinger/shared/metrics'

/** How numbers read on every screen. Unknown is a word, never 0. */

// A number and its unit stay on one line.
const nbsp = '\u00a0'

type Maybe = number | null | undefined

const isKnown = (value: Maybe): value is number => typeof value === 'number' && !Number.isNaN(value)

export const unknown = 'unknown'

export const percent = (value: Maybe): string =>
  isKnown(value) ? `${value.toFixed(1)}${nbsp}%` : unknown

export const count = (value: Maybe): string =>
  isKnown(value) ? Math.round(value).toLocaleString('en') : unknown

export const risk = (value: Maybe): string => (isKnown(value) ? String(Math.round(value)) : unknown)

/** A chance from 0 to 1. A forecast knows nothing beyond its outer quantiles, 2 % and 98 %. */
export function chance(value: Maybe): string {
  if (!isKnown(value)) return 'not known yet'
  if (value <= 0.02) return `under 2${nbsp}%`
  if (value >= 0.98) return `over 98${nbsp}%`
  return `${Math.round(value * 100)}${nbsp}%`
}

const byUnit = {
  '%': (value) => `${value.toFixed(1)}${nbsp}%`,
  'MB/s': (value) => `${value.toFixed(value < 10 ? 2 : 1)}${nbsp}MB/s`,
  sockets: (value) => count(value),
  load: (value) => value.toFixed(value < 10 ? 2 : 1),
  days: (value) => `${value.toFixed(1)}${nbsp}days`,
} satisfies Record<Metric['unit'], (value: number) => string>

export const reading = (value: Maybe, unit: Metric['unit']): string =>
  isKnown(value) ? byUnit[unit](value) : unknown

/** How far two values are apart: percentages by points, and what is small with a digit that is not 0. */
export function distance(value: number, unit: Metric['unit']): string {
  const number = value >= 1 || value === 0 ? value.toFixed(1) : value.toPrecision(1)
  if (unit === '%') return `${number}${nbsp}points`
  return unit === 'load' ? number : `${number}${nbsp}${unit}`
}

/** A span in words: "40 min", "2 h 15 min", "3 days". */
export function span(minutes: number): string {
  const whole = Math.max(0, Math.round(minutes))
  if (whole < 1) return 'under a minute'
  if (whole < 60) return `${whole} min`
  if (whole >= 2880) return `${Math.round(whole / 1440)} days`
  const rest = whole % 60
  return rest === 0 ? `${Math.floor(whole / 60)} h` : `${Math.floor(whole / 60)} h ${rest} min`
}

/** How old something is: "12 s ago", "4 min ago", "3 h ago". */
export function age(at: number | null, now: number): string {
  if (at === null) return 'never'
  const seconds = Math.max(0, Math.round((now - at) / 1000))
  if (seconds < 90) return `${seconds} s ago`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h ago`
  return `${Math.round(seconds / 86_400)} days ago`
}
