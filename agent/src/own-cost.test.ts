import { expect, test } from 'vitest'
import { agentReadingNames } from '@harbinger/shared/sample'
import { ownCost } from './own-cost.ts'

function opened() {
  const now = { ms: 1_000, cpu: 500_000, problem: undefined as string | undefined }
  const cost = ownCost({
    clock: { monotonicMs: () => now.ms },
    cpuMicros: () => now.cpu,
    rssBytes: () => 53_247_000,
    spool: () => ({ samples: 3, bytes: 262_144, dropped: 7, problem: now.problem }),
  })
  return { now, cost }
}

test('is said once a minute: CPU since the last time, memory and spool as they are', () => {
  const { now, cost } = opened()
  now.ms += 59_999
  expect(cost.readings()).toEqual({})
  now.ms += 1
  now.cpu += 42_000
  const readings = cost.readings()
  expect(readings).toEqual({
    agent_cpu_pct: 0.07,
    agent_rss_mb: 53.2,
    agent_spool_samples: 3,
    agent_spool_mb: 0.26,
    agent_dropped: 7,
    agent_spool_fault: 0,
  })
  expect(Object.keys(readings)).toEqual(agentReadingNames)
  expect(cost.readings()).toEqual({})
})

test('says when the disk takes no samples', () => {
  const { now, cost } = opened()
  now.ms += 60_000
  now.problem = 'ENOSPC'
  expect(cost.readings()).toMatchObject({ agent_spool_fault: 1 })
})
