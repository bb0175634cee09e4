import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { writeUntrainedModel } from './untrained-model.ts'

const program = fileURLToPath(new URL('./open-model.ts', import.meta.url))

// The runtime reports nothing under CI of itself, so that is taken away: what is tested is what happens at a customer's.
test('the runtime that runs the network neither marks this machine nor reports its use', () => {
  const home = mkdtempSync(join(tmpdir(), 'harbinger-home-'))
  try {
    const { CI: _, ORT_DISABLE_TELEMETRY: __, ...env } = process.env
    execFileSync(process.execPath, [program, writeUntrainedModel(join(home, 'model'))], {
      env: { ...env, HOME: home, TMPDIR: home, XDG_CACHE_HOME: join(home, 'cache') },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    expect(
      readdirSync(home).filter((name) => !['model', 'node-compile-cache'].includes(name)),
    ).toEqual([])
  } finally {
    rmSync(home, { recursive: true })
  }
})
