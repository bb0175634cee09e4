import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { agentReport, reportText } from './commands/status.ts'
import { type AgentStatus, openStatusFile, readStatusFile } from './status-file.ts'

let directory: string
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'agent-status-'))))
afterAll(() => rmSync(directory, { recursive: true }))

const status = (at: number, more: Partial<AgentStatus> = {}): AgentStatus => ({
  state: 'running',
  pid: process.pid,
  server: 'db1',
  hub: 'mqtt://hub',
  startedAt: 0,
  at,
  intervalSeconds: 10,
  ownIntervalSeconds: 10,
  intervalFrom: 'own',
  connected: true,
  lastFailure: null,
  lastAck: { upTo: 7, at: 0 },
  spool: { samples: 0, bytes: 0, dropped: 0, problem: null },
  cost: { rssBytes: 50e6, cpuSeconds: 1 },
  ...more,
})

test('is written once a minute, and when the connection comes or goes', () => {
  const file = openStatusFile(directory, { onFailure: vi.fn() })
  file.keep(status(0))
  file.keep(status(59_999))
  expect(readStatusFile(directory)?.at).toBe(0)
  file.keep(status(59_999, { connected: false }))
  expect(readStatusFile(directory)?.connected).toBe(false)
  file.keep(status(120_000, { connected: false }))
  expect(readStatusFile(directory)?.at).toBe(120_000)
})

test('is written at once when the interval changes, and says where it comes from', () => {
  const file = openStatusFile(directory, { onFailure: vi.fn() })
  const text = () => reportText(agentReport({ stateDirectory: directory }), directory)
  file.keep(status(0))
  expect(text()).toContain('interval   10 s, from its own configuration')
  file.keep(status(1, { intervalSeconds: 60, intervalFrom: 'hub' }))
  expect(text()).toContain('interval   60 s, asked for by the hub (own configuration: 10 s)')
})

test('tells a running agent from one that stopped, was killed, or never was', () => {
  const file = openStatusFile(directory, { onFailure: vi.fn() })
  file.close(status(1_000_000))
  const report = agentReport({ stateDirectory: directory })
  expect(report.running).toBe(true)
  expect(reportText(report, directory)).toContain('own cost   50.0 MB RSS, 0.100 % of a core')

  const lastFailure = { reason: 'connect ECONNREFUSED 192.0.2.1:8883', at: 0 }
  file.keep(status(0, { connected: false, lastFailure }))
  const away = reportText(agentReport({ stateDirectory: directory }), directory)
  expect(away).toContain('(not connected)\n           connect ECONNREFUSED')

  file.close(status(1, { state: 'stopped' }))
  expect(agentReport({ stateDirectory: directory }).running).toBe(false)
  // Above any pid the kernel gives out.
  file.close(status(1, { pid: 2 ** 22 + 1 }))
  expect(agentReport({ stateDirectory: directory }).running).toBe(false)
  expect(reportText(agentReport({ stateDirectory: '/nowhere' }), '/nowhere')).toContain(
    'not running',
  )
})

test('a directory that cannot be written is reported once', () => {
  const onFailure = vi.fn()
  writeFileSync(join(directory, 'taken'), '')
  const file = openStatusFile(join(directory, 'taken', 'state'), { onFailure })
  file.close(status(1))
  file.close(status(2))
  expect(onFailure).toHaveBeenCalledTimes(1)
})
