import type { ServerSummary } from '@harbinger/shared/api'

/** Agents speak every 1 to 300 s; one that missed its slowest interval is silent, whatever the hub still says. */
const silentAfterMs = 6 * 60_000

export type Presence = 'heard' | 'silent' | 'offline'

export function presenceOf(row: Pick<ServerSummary, 'state' | 'lastSeen'>, now: number): Presence {
  if (row.state === 'offline') return 'offline'
  if (row.lastSeen === null) return 'silent'
  return now - Date.parse(row.lastSeen) > silentAfterMs ? 'silent' : 'heard'
}
