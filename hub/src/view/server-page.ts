import type { ServersPage, ServerSummary } from '@harbinger/shared/api'
import { isMetricName } from '@harbinger/shared/metrics'

export type ServersRequest = {
  readonly search?: string
  readonly profile?: string
  readonly severity?: string
  readonly tag?: string
  readonly sort?: string
  readonly limit?: number
  readonly cursor?: string
}

type Value = number | string | null
type Place = { readonly value: Value; readonly name: string }

const horizonMinutes = 480

/**
 * The page of `rows` that was asked for, or a sentence saying what was wrong with the request. A page begins after
 * the place its cursor names, so servers that come, go or move between two requests are neither repeated nor lost
 * for standing still.
 */
export function serversPage(
  rows: readonly ServerSummary[],
  request: ServersRequest,
): ServersPage | { readonly problem: string } {
  const { sort = 'name', limit = 100 } = request
  const reversed = sort.startsWith('-')
  const valueOf = sortValue(reversed ? sort.slice(1) : sort)
  if (!valueOf) {
    return {
      problem: `sort: must be name, risk, cpuUsed, lastSeen, timeToThreshold or one of the 14 metrics, with "-" before it to reverse; got "${sort}"`,
    }
  }
  const after = request.cursor === undefined ? undefined : readCursor(request.cursor, sort)
  if (request.cursor !== undefined && !after) {
    return {
      problem: `cursor: must be the nextCursor of a page with the same sort; start again without it`,
    }
  }
  const sign = reversed ? -1 : 1
  const sorted = rows
    .filter(matches(request))
    .map((row) => ({ row, value: valueOf(row), name: row.name.toLowerCase() }))
    .filter((place) => !after || compare(place, after, sign) > 0)
    .sort((a, b) => compare(a, b, sign))
  const page = sorted.slice(0, limit)
  const last = page.at(-1)
  return {
    servers: page.map(({ row }) => row),
    nextCursor: last && sorted.length > page.length ? writeCursor(sort, last) : null,
  }
}

function matches({ search, profile, severity, tag }: ServersRequest) {
  const sought = search?.trim().toLowerCase()
  return (row: ServerSummary): boolean =>
    (!sought ||
      row.name.toLowerCase().includes(sought) ||
      row.profile.includes(sought) ||
      row.tags.some((text) => text.toLowerCase().includes(sought))) &&
    (!profile || row.profile === profile) &&
    (!severity || row.severity === severity) &&
    (!tag || row.tags.includes(tag))
}

function sortValue(key: string): ((row: ServerSummary) => Value) | undefined {
  switch (key) {
    case 'name':
      return ({ name }) => name.toLowerCase()
    case 'risk':
    case 'cpuUsed':
    case 'lastSeen':
      return (row) => row[key]
    case 'timeToThreshold':
      return minutesToThreshold
  }
  return isMetricName(key) ? (row) => row.metrics[key]?.now ?? null : undefined
}

/** Servers whose median reaches the threshold come before those of which only the pessimistic quantile does. */
export function minutesToThreshold({ timeToThreshold }: ServerSummary): number | null {
  if (!timeToThreshold) return null
  const { medianMinutes, earliestMinutes } = timeToThreshold
  return medianMinutes ?? (earliestMinutes === null ? null : horizonMinutes + earliestMinutes)
}

/** Unknown values are last in either direction; equal ones go by name. */
function compare(a: Place, b: Place, sign: number): number {
  if (a.value !== b.value) {
    if (a.value === null) return 1
    if (b.value === null) return -1
    return a.value < b.value ? -sign : sign
  }
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

const writeCursor = (sort: string, { value, name }: Place): string =>
  Buffer.from(JSON.stringify([sort, value, name])).toString('base64url')

function readCursor(cursor: string, sort: string): Place | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (!Array.isArray(parts) || parts.length !== 3) return undefined
    const [of, value, name] = parts as [unknown, Value, unknown]
    const isValue = value === null || typeof value === 'number' || typeof value === 'string'
    return of === sort && isValue && typeof name === 'string' ? { value, name } : undefined
  } catch {
    return undefined
  }
}
