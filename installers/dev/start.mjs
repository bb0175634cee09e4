/**
 * `npm start`: sets up, then runs the hub, the agent of this machine and the simulated fleet until Ctrl-C.
 *   --no-demo      without the simulated fleet
 *   --servers N    size of the simulated fleet (default 90)
 *   --port N       where the fleet view is served (default 8080; 8443 with tls.mode on)
 *   --mqtt-port N  where agents connect (default 1883; 8883 with tls.mode on)
 *   --data DIR     where data are kept (default .harbinger/data)
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { healthOf } from './ask-hub.mjs'
import { agentProgram, joinOwnAgent } from './join-own-agent.mjs'
import {
  childEnvironment,
  fail,
  keepCompiled,
  nodeFlags,
  pinnedNode,
  root,
  setUp,
} from './set-up.mjs'

/** How long forecasts may take to appear before we say that something is wrong. */
const patienceMs = 180_000

function readOptions() {
  const { values } = parseArgs({
    options: {
      'no-demo': { type: 'boolean', default: false },
      servers: { type: 'string', default: '90' },
      // Without one the settings of the hub decide (.harbinger/hub.yaml).
      port: { type: 'string' },
      'mqtt-port': { type: 'string' },
      data: { type: 'string', default: join(root, '.harbinger', 'data') },
      help: { type: 'boolean', default: false },
    },
  })
  for (const name of ['servers', 'port', 'mqtt-port']) {
    const value = values[name]
    if (value !== undefined && !/^\d+$/.test(value))
      throw new Error(`--${name}: expected a whole number, got "${value}"`)
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

/** What a hub that runs on this folder notes for commands: where it is, a secret, with TLS its certificate. */
function noteOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'hub.json'), 'utf8'))
  } catch {
    return undefined
  }
}

async function waitFor(what, ask) {
  const giveUpAt = Date.now() + patienceMs
  while (!stopping) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > giveUpAt) {
      throw new Error(`${what}: not after ${patienceMs / 1000} s; see the messages above`)
    }
    await pause(250)
  }
  return undefined
}

/** Two hubs on one port or one folder do not go together; said before anything long begins. */
async function refuseSecondHub({ port, data }) {
  const note = noteOf(data)
  if (note && (await healthOf(note))) {
    throw new Error(`a hub already runs on ${data}, at ${note.address}: stop it or choose --data`)
  }
  // What the settings say the hub finds out by itself.
  if (port === undefined && existsSync(join(root, '.harbinger', 'hub.yaml'))) return
  if (await healthOf({ address: `http://127.0.0.1:${port ?? 8080}` })) {
    throw new Error(
      `port ${port ?? 8080} already answers: stop the other hub or choose --port and --mqtt-port`,
    )
  }
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

  const { port, 'mqtt-port': mqttPort, data } = options
  await refuseSecondHub(options)
  const hub = run(
    'hub',
    [
      ...nodeFlags('hub'),
      ...['hub/src/main.ts', 'hub', '--data', data],
      ...(port === undefined ? [] : ['--port', port]),
      ...(mqttPort === undefined ? [] : ['--mqtt-port', mqttPort]),
      ...(options['no-demo'] ? [] : ['--demo', options.servers]),
    ],
    keepCompiled,
  )
  // A note of a hub that was killed may lie there.
  const note = await waitFor('the hub is not up', () => {
    const found = noteOf(data)
    return found?.pid === hub.pid ? found : undefined
  })
  if (!note) return
  const agent = [...nodeFlags('agent'), agentProgram]
  if (note.certificate) {
    const { file, env } = joinOwnAgent(note, data)
    run('agent', [...agent, 'run', '--config', file], env)
  } else {
    run('agent', [...agent, 'run'], {
      HARBINGER_HUB: `mqtt://127.0.0.1:${note.mqttPort ?? 1883}`,
      HARBINGER_STATE_DIRECTORY: join(data, 'agent'),
    })
  }
  const isReady = options['no-demo']
    ? ({ lastCycle }) => Boolean(lastCycle)
    : ({ lastCycle }) => Boolean(lastCycle) && lastCycle.forecast > 0
  const ready = await waitFor('no forecast is served', async () => {
    // Read anew: with a new certificate the hub writes a new note.
    const now = await healthOf(noteOf(data) ?? note)
    return now && isReady(now) ? now : undefined
  })
  if (!ready) return
  const { lastCycle, model, node, login } = ready
  const [warning, setUpLine] = [
    note.certificate ? ' Its certificate is of its own authority: the browser warns once.' : '',
    login?.mode === 'setup'
      ? `Nobody may look yet: ${note.address}/set-up makes the first admin, with the secret that npx harbinger user set-up-secret --data ${data} prints.\n`
      : '',
  ]
  say(
    `\nHarbinger is at ${note.address} – ${lastCycle.forecast} of ${lastCycle.servers} servers forecast ` +
      `by ${model ? `model ${model.id}` : 'the baseline'}, Node ${node}, ready after ${((Date.now() - began) / 1000).toFixed(0)} s. ` +
      `${options['no-demo'] ? '' : `${options.servers} of them are simulated. `}Ctrl-C stops everything.${warning}\n` +
      `${setUpLine}${login?.notice ? `${login.notice}\n` : ''}`,
  )
}

main().catch(async (error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (children.size > 0) await stop(1)
  else fail('Harbinger did not start.')
})
