import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { productVersion } from '@harbinger/shared/version'
import { runCommand } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'harbinger-commands-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

const clock = { now: () => Date.UTC(2026, 0, 2), every: () => () => {} }

/** As main.ts does: what is thrown is the message on stderr and exit code 1. */
async function harbinger(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
  const code = await runCommand(args, clock).catch((error: Error) => {
    err += error.message
    return 1
  })
  return { code, out, err }
}

test('starts under any Node and hands on the exit code', async () => {
  const bin = fileURLToPath(new URL('../../bin/harbinger.mjs', import.meta.url))
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [bin, '--version'])
  expect(stdout.trim()).toBe(productVersion)
  await expect(run(process.execPath, [bin, 'fly'])).rejects.toMatchObject({ code: 1 })
})

test.each([
  ...[['hub'], ['simulate'], ['import'], ['train'], ['backtest'], ['model'], ['model', 'list']],
  ...[['accuracy'], ['doctor'], []],
])('%s %s --help ends well', async (...words: string[]) => {
  const { code, out } = await harbinger(...words.filter(Boolean), '--help')
  expect(out).toContain('Usage: harbinger')
  expect(code).toBe(0)
})

test.each([
  [['fly'], "unknown command 'fly'"],
  [['simulate', '--servers', 'many'], 'expected a number'],
  [['import', 'none.parquet'], 'no such file'],
  [['hub', '--port', '99999', '--print-config'], 'expected a port'],
  [['backtest', '--history', 'x.csv', '--from', 'yesterday'], 'expected a time'],
  [['backtest', '--history', 'x.csv', '--model', 'nobody'], 'no model nobody'],
])('%j ends with what is wrong and a code that is not 0', async (args, message) => {
  const { code, err } = await harbinger(
    ...args,
    ...(args[0] === 'import' ? ['--data', folder] : []),
  )
  expect(err).toContain(message)
  expect(code).not.toBe(0)
})

test('an import that meets a bad value names column, row and value, and keeps nothing', async () => {
  const file = join(folder, 'history.csv')
  const at = (i: number) => new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString()
  const rows = (last: number) =>
    ['timestamp,server,mem_used_pct', `${at(0)},a,1`, `${at(1)},a,${last}`].join('\n')
  writeFileSync(file, rows(120))
  const bad = await harbinger('import', file, '--data', folder)
  expect(bad.err).toMatch(/mem_used_pct, row 2.*120/)
  expect(bad.code).toBe(1)
  writeFileSync(file, rows(12))
  const good = await harbinger('import', file, '--data', folder, '--json')
  expect(JSON.parse(good.out)).toMatchObject({ rows: 2, servers: 1, from: at(0), to: at(1) })
  expect(good.code).toBe(0)
})

test('doctor says what it found in a form that programs read', async () => {
  const { out } = await harbinger('doctor', '--json', '--data', folder)
  const findings = JSON.parse(out) as {
    check: string
    ok: boolean | null
    level: string
    found: string
    advice: string
  }[]
  expect(findings.map(({ check }) => check)).toEqual([
    ...['node', 'configuration', 'service', 'version', 'health', 'data folder', 'disk space'],
    ...['database', 'memory', 'clock', 'time service', 'port for fleet view'],
    ...['port for agents (MQTT)', 'TLS', 'model', 'device'],
  ])
  for (const { ok, level, found, advice } of findings) {
    expect(found).not.toBe('')
    expect(ok).toBe({ ok: true, warning: true, failed: false, unknown: null }[level])
    if (level === 'ok') expect(advice).toBe('')
    if (level === 'failed') expect(advice).not.toBe('')
  }
})
