import type { ServerSummary } from '@harbinger/shared/api'
import { timeOfDay, dateAndTime } from './times.ts'

type Row = Pick<ServerSummary, 'presence'>

const dayMs = 86_400_000

/** "40 s", "3 min", "5 h": how long something has lasted. */
function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

const atTime = (at: number, now: number): string =>
  now - at < dayMs ? timeOfDay(at) : dateAndTime(at)

/** "offline: not heard for 3 min"; null while a server is heard. */
export function presenceWords({ presence }: Row, now: number): string | null {
  const { state, why, since } = presence
  if (state === 'heard') return null
  const at = since === null ? null : Date.parse(since)
  return `${state}: ${reasonWords(why, at, now)}`
}

function reasonWords(why: Row['presence']['why'], at: number | null, now: number): string {
  if (at === null || why === 'never') return 'never heard'
  const span = lasting(now - at)
  if (why === 'stopped') return `its agent was stopped at ${atTime(at, now)}`
  if (why === 'lost') return `connection lost, not heard for ${span}`
  if (why === 'no_samples') return `its agent is connected, but no sample came for ${span}`
  if (why === 'hub_deaf') return `the hub is not connected to its broker, for ${span}`
  return `not heard for ${span}`
}
