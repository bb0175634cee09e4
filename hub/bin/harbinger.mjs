#!/usr/bin/env node
/** Starts Harbinger on the Node it is made for, whichever Node started this file. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function pinnedNode() {
  try {
    const require = createRequire(import.meta.url)
    const folder = dirname(require.resolve(`node-linux-${process.arch}/package.json`))
    const node = join(folder, 'bin', 'node')
    if (existsSync(node)) return node
  } catch {
    // Not installed for this platform; the running Node may do.
  }
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  process.stderr.write(
    `harbinger needs Node 24: the package node-linux-${process.arch} is not installed and this is Node ${process.version}; run npm ci\n`,
  )
  process.exit(1)
}

// A young generation as large as Node's own choice costs a hub of 1,000 servers 135 MB (decision 24).
const flags = JSON.parse(readFileSync(new URL('../node-flags.json', import.meta.url), 'utf8'))

const child = spawn(pinnedNode(), [...flags, main, ...process.argv.slice(2)], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal))
}
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  } else process.exit(code ?? 1)
})
