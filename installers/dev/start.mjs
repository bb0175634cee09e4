/**
 * `npm start`: sets up, then runs the hub, the agent of this machine and the simulated fleet until Ctrl-C.
 *   --no-demo      without the simulated fleet
 *   --servers N    size of the simulated fleet (default 90)
 *   --port N       where the fleet view is served (default 8080)
 *   --mqtt-port N  where agents connect (default 1883)
 *   --data DIR     where data are kept (default .harbinger/data)
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { childEnvironment, fail, pinnedNode, root, setUp } from './set-up.mjs'

/** How long forecasts may take to appear before we say that something is wrong. */
const patienceMs = 180_000

function readOptions() {
  const { values } = parseArgs({
    options: {
      'no-demo': { type: 'boolean', default: false },
      servers: { type: 'string', default: '90' },
      port: { type: 'string', default: '8080' },
      'mqtt-port': { type: 'string', default: '1883' },
      data: { type: 'string', default: join(root, '.harbinger', 'data') },
      help: { type: 'boolean', default: false },
    },
  })
  for (const name of ['servers', 'port', 'mqtt-port']) {
    const value = values[name]
    if (!/^\d+$/.test(value)) throw new Error(`--${name}: expected a whole number, got "${value}"`)
  }
  return values
}

const children = new Map()
let stopping = false

function run(name, args, env = {}) {
  // A group of its own: Ctrl-C reaches only this process, which then stops the others in order.
  const child = spawn(pinnedNode(), args, {
    cwd: root,
    // Quiet unless asked: what a newcomer has to know is said below, in words.
    env: { HARBINGER_LOG_LEVEL: 'warn', ...childEnvironment(), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  })
  children.set(name, child)
  child.on('exit', (code, signal) => {
    children.delete(name)
    if (stopping) return
    process.stderr.write(`The ${name} ended by itself (${signal ?? `exit ${code}`}); stopping.\n`)
    void stop(1)
  })
  return child
}

async function stop(code) {
  if (stopping) return
  stopping = true
  // The agent first, so that its last words still reach the hub.
  for (const name of ['agent', 'hub']) {
    const child = children.get(name)
    if (!child) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(force)
  }
  process.exit(code)
}

const say = (text) => process.stdout.write(`${text}\n`)

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** What the hub notes for commands: one that has users tells a stranger only that it is there. */
function secretOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'hub.json'), 'utf8')).secret
  } catch {
    return undefined
  }
}

async function health(port, secret) {
  try {
    const headers = secret ? { authorization: `Bearer ${secret}` } : {}
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/health`, { headers })
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}

async function waitFor(what, { port, data }, isReady) {
  const giveUpAt = Date.now() + patienceMs
  while (!stopping) {
    const now = await health(port, secretOf(data))
    if (now && isReady(now)) return now
    if (Date.now() > giveUpAt) {
      throw new Error(`${what}: not after ${patienceMs / 1000} s; see the messages above`)
    }
    await pause(250)
  }
  return undefined
}

async function main() {
  const began = Date.now()
  const options = readOptions()
  if (options.help) {
    process.stdout.write(
      'npm start -- [--no-demo] [--servers N] [--port N] [--mqtt-port N] [--data DIR]\n',
    )
    return
  }
  setUp()
  say(
    options['no-demo']
      ? 'Starting the hub and the agent of this machine …'
      : `Starting the hub, the agent of this machine and ${options.servers} simulated servers with eight days of history …`,
  )
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0))

  const { port, 'mqtt-port': mqttPort } = options
  if (await health(port)) {
    throw new Error(
      `port ${port} already answers: stop the other hub or choose --port and --mqtt-port`,
    )
  }
  const demo = options['no-demo'] ? [] : ['--demo', options.servers]
  run('hub', [
    'hub/src/main.ts',
    'hub',
    '--port',
    port,
    '--mqtt-port',
    mqttPort,
    '--data',
    options.data,
    ...demo,
  ])
  await waitFor('the hub is not up', options, () => true)
  const flags = JSON.parse(readFileSync(join(root, 'agent/node-flags.json'), 'utf8'))
  run('agent', [...flags, 'agent/dist/harbinger-agent.js', 'run'], {
    HARBINGER_HUB: `mqtt://127.0.0.1:${mqttPort}`,
    HARBINGER_STATE_DIRECTORY: join(options.data, 'agent'),
  })
  const isReady = options['no-demo']
    ? ({ lastCycle }) => Boolean(lastCycle)
    : ({ lastCycle }) => Boolean(lastCycle) && lastCycle.forecast > 0
  const ready = await waitFor('no forecast is served', options, isReady)
  if (!ready) return
  const { lastCycle, model, node, login } = ready
  say(
    `\nHarbinger is at http://127.0.0.1:${port} – ${lastCycle.forecast} of ${lastCycle.servers} servers forecast ` +
      `by ${model ? `model ${model.id}` : 'the baseline'}, Node ${node}, ready after ${((Date.now() - began) / 1000).toFixed(0)} s. ` +
      `${options['no-demo'] ? '' : `${options.servers} of them are simulated. `}Ctrl-C stops everything.\n` +
      `${login?.notice ? `${login.notice}\n` : ''}`,
  )
}

main().catch(async (error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (children.size > 0) await stop(1)
  else fail('Harbinger did not start.')
})
