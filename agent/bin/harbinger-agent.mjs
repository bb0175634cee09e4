#!/usr/bin/env node
// Starts the agent under the Node that the project pins, whatever Node starts this file (20 or later).
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const agent = fileURLToPath(new URL('..', import.meta.url))

/** The package of the pinned Node holds one file, bin/node; elsewhere than on Linux the present Node has to do. */
function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `node-${process.platform}-${process.arch}/package.json`,
    )
    return join(dirname(manifest), 'bin', 'node')
  } catch {
    return process.execPath
  }
}

const bundle = join(agent, 'dist', 'harbinger-agent.js')
const isBuilt = existsSync(bundle)

/**
 * An agent works for some milliseconds every ten seconds: compiled code, compiler threads and a large young generation
 * would cost it 8 MB and gain it nothing. Only for the bundle, because Node strips types by WebAssembly, which needs
 * the compiler.
 */
const flags = isBuilt ? JSON.parse(readFileSync(join(agent, 'node-flags.json'), 'utf8')) : []

const program = isBuilt ? bundle : join(agent, 'src', 'main.ts')

const child = spawn(pinnedNode(), [...flags, program, ...process.argv.slice(2)], {
  stdio: 'inherit',
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`harbinger-agent: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  // 128 + n is what a shell says of a program that signal n ended.
  process.exit(code ?? { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal] ?? 1)
})
