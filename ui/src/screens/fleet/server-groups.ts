import type { ServerSummary } from '@harbinger/shared/api'
import { profileWord } from '../../words/shown-metrics.ts'

export type ServerGroup = { readonly label: string; readonly rows: readonly ServerSummary[] }

const byName = new Intl.Collator('en', { numeric: true })

/** Groups of the map. Servers keep their place whatever their risk does: people remember where things are. */
export function toGroups(rows: readonly ServerSummary[], by: string | null): ServerGroup[] {
  const groups = new Map<string, ServerSummary[]>()
  const sorted = [...rows].sort((a, b) => byName.compare(a.name, b.name))
  for (const row of sorted) {
    const label =
      by === 'none'
        ? 'All servers'
        : by === 'tag'
          ? (row.tags[0] ?? 'no tag')
          : profileWord(row.profile)
    const group = groups.get(label)
    if (group) group.push(row)
    else groups.set(label, [row])
  }
  return [...groups]
    .map(([label, members]) => ({ label, rows: members }))
    .sort((a, b) => byName.compare(a.label, b.label))
}
