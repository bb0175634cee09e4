import type { ServerSummary, SeverityOrUnknown } from '@harbinger/shared/api'
import { allSeverities } from '../../words/severity-words.ts'

const onlys = ['offline', 'late', 'conflict', 'no-forecast'] as const

/** What the viewer wants to see, as it stands in the address. */
export type FleetFilter = {
  readonly search: string
  readonly severities: readonly SeverityOrUnknown[]
  readonly profile: string | null
  readonly tag: string | null
  readonly only: (typeof onlys)[number] | null
}

export function parseFilter(query: URLSearchParams): FleetFilter {
  const asked = (query.get('severity') ?? '').split(',')
  const askedOnly = query.get('only')
  return {
    search: query.get('search') ?? '',
    severities: allSeverities.filter((severity) => asked.includes(severity)),
    profile: query.get('profile'),
    tag: query.get('tag'),
    only: onlys.find((one) => one === askedOnly) ?? null,
  }
}

export const isFiltered = ({ search, severities, profile, tag, only }: FleetFilter): boolean =>
  search !== '' || severities.length > 0 || profile !== null || tag !== null || only !== null

export function matches(filter: FleetFilter, row: ServerSummary): boolean {
  const { search, severities, profile, tag, only } = filter
  if (severities.length > 0 && !severities.includes(row.severity)) return false
  if (profile !== null && row.profile !== profile) return false
  if (tag !== null && !row.tags.includes(tag)) return false
  if (only === 'offline' && row.presence.state !== 'offline') return false
  if (only === 'late' && row.presence.state !== 'late') return false
  if (only === 'conflict' && !row.conflict) return false
  if (only === 'no-forecast' && row.abstained === null) return false
  const text = search.trim().toLowerCase()
  return (
    text === '' ||
    row.name.toLowerCase().includes(text) ||
    row.tags.some((one) => one.toLowerCase().includes(text))
  )
}
