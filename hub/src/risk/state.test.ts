import { expect, test } from 'vitest'
import type { State } from '@harbinger/shared/states'
import { serverState, type StateInput } from './state.ts'

const minuteMs = 60_000
const usual: StateInput = {
  profile: 'web_api',
  now: { cpu_idle_pct: 60, cpu_iowait_pct: 2, load_average: 5, mem_used_pct: 45 },
  cores: 16,
  severity: 'healthy',
  isOffline: false,
  inMaintenance: false,
  local: { hour: 13, weekday: 3 },
}

test.each<[State, string, Partial<StateInput>]>([
  ['healthy', 'nothing is the matter', {}],
  ['maintenance', 'it is maintained, whatever else', { inMaintenance: true, isOffline: true }],
  ['offline', 'it is not heard', { isOffline: true }],
  ['critical_issue', 'its risk is grave', { severity: 'danger' }],
  ['critical_issue', 'a metric is past its limit', { now: { mem_used_pct: 90 } }],
  ['recovery', 'it was critical minutes ago', { sinceCriticalMs: 10 * minuteMs }],
  ['healthy', 'it was critical long ago', { sinceCriticalMs: 40 * minuteMs }],
  [
    'morning_spike',
    'a weekday begins',
    { now: { cpu_idle_pct: 25 }, local: { hour: 9, weekday: 1 } },
  ],
  [
    'healthy',
    'it is as busy on a Sunday',
    { now: { cpu_idle_pct: 25 }, local: { hour: 9, weekday: 0 } },
  ],
  ['heavy_load', 'its cores are busy', { now: { cpu_idle_pct: 15 } }],
  ['heavy_load', 'tasks queue', { now: { cpu_idle_pct: 40, load_average: 30 } }],
  ['heavy_load', 'it waits for disks', { now: { cpu_idle_pct: 60, cpu_iowait_pct: 18 } }],
  ['healthy', 'training keeps cores busy', { profile: 'ml_compute', now: { cpu_idle_pct: 15 } }],
  ['idle', 'it does nothing', { now: { cpu_idle_pct: 98.5, load_average: 0.2 } }],
  ['healthy', 'its load is unknown', { now: { cpu_idle_pct: 98.5 } }],
])('is %s when %s', (state, _, change) => {
  expect(serverState({ ...usual, ...change })).toBe(state)
})
