import { cpuUsed, type Readings } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'
import type { Severity } from '@harbinger/shared/severity'
import type { State } from '@harbinger/shared/states'
import { breaches, normalIowait } from '@harbinger/shared/limits'

export type StateInput = {
  readonly profile: Profile
  readonly now: Readings
  readonly cores?: number | undefined
  readonly severity: Severity | 'unknown'
  /** presence.ts */
  readonly isOffline: boolean
  readonly inMaintenance: boolean
  /** Where the server is: hour 0 … 24, weekday 0 (Sunday) … 6. */
  readonly local: { readonly hour: number; readonly weekday: number }
  /** Since it was last in `critical_issue`; undefined: never. */
  readonly sinceCriticalMs?: number | undefined
}

const minuteMs = 60_000
/** How long a server that was critical is said to recover. */
const recoveryMs = 30 * minuteMs
const spikeHours = { from: 7, to: 10.5 } as const

const grave: readonly (Severity | 'unknown')[] = ['imminent_failure', 'critical', 'danger']

/** What a server is doing, for people to read; it is never an input of the model. */
export function serverState(input: StateInput): State {
  const { inMaintenance, isOffline, sinceCriticalMs } = input
  if (inMaintenance) return 'maintenance'
  if (isOffline) return 'offline'
  const { profile, now, cores, severity, local } = input
  if (grave.includes(severity) || breaches(profile, now, { cores }).length > 0) {
    return 'critical_issue'
  }
  if (sinceCriticalMs !== undefined && sinceCriticalMs < recoveryMs) return 'recovery'
  const used = cpuUsed(now)
  const perCore =
    cores === undefined || now.load_average === undefined ? undefined : now.load_average / cores
  const isWorkday = local.weekday >= 1 && local.weekday <= 5
  const isMorning = isWorkday && local.hour >= spikeHours.from && local.hour < spikeHours.to
  if (isMorning && isAtLeast(used, 65) && profile !== 'ml_compute') return 'morning_spike'
  const isBusy =
    isAtLeast(used, profile === 'ml_compute' ? 95 : 80) ||
    isAtLeast(perCore, 1.5) ||
    isAtLeast(now.cpu_iowait_pct, 1.5 * normalIowait(profile))
  if (isBusy) return 'heavy_load'
  // Both must be known: a server whose load cannot be read is not called idle.
  if (used !== undefined && used < 5 && perCore !== undefined && perCore < 0.1) return 'idle'
  return 'healthy'
}

const isAtLeast = (x: number | undefined, level: number): boolean => x !== undefined && x >= level
