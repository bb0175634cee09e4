import { accessSync, constants, mkdirSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import { openMachine } from '../agent.ts'
import type { Clock } from '../clock.ts'
import { type Config, noHub } from '../config.ts'
import { silentLog } from '../log.ts'
import { readHubUrl } from '../publish/connection.ts'

export type Finding = {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  /** What to do; empty when all is well. */
  readonly advice: string
}

const connectTimeoutMs = 5_000
/** The first sample of a server whose clock is this old would be decades off the time axis. */
const oldestPlausibleClock = Date.UTC(2025, 0, 1)

/** Everything that must be so for this agent to do its work. */
export async function diagnose(config: Config, clock: Clock): Promise<Finding[]> {
  return [
    ...(await checkCollectors(config, clock)),
    ...(await checkHub(config.hub)),
    checkClock(clock.now()),
    checkStateDirectory(config.stateDirectory),
  ]
}

const fine = (check: string, found: string): Finding => ({ check, ok: true, found, advice: '' })

const failed = (check: string, found: string, advice: string): Finding => ({
  check,
  ok: false,
  found,
  advice,
})

/** Each collector twice, 100 ms apart, as rates need. */
async function checkCollectors(config: Config, clock: Clock): Promise<Finding[]> {
  const machine = await openMachine(config, clock, silentLog)
  await machine.sampler.takeSample(0)
  await new Promise<void>((resolve) => clock.after(100, resolve))
  const { m } = await machine.sampler.takeSample(0)
  const failures = machine.sampler.failures()
  const reasons = machine.inventory().unavailable ?? {}

  return machine.collectors.map(({ name, reads }) => {
    const check = `collector ${name}`
    const failure = failures.get(name)
    if (failure !== undefined) {
      return failed(check, failure, `make ${config.procRoot} readable for the agent's user`)
    }
    const missing = reads.filter((reading) => m[reading] === undefined)
    if (missing.length === 0) {
      return fine(check, reads.map((reading) => `${reading} ${m[reading]}`).join(', '))
    }
    const why = missing.map((reading) => `${reading}: ${reasons[reading] ?? 'nothing to read'}`)
    return failed(check, why.join(', '), 'these readings stay absent; the others are sent')
  })
}

async function checkHub(url: string): Promise<Finding[]> {
  if (url === noHub) {
    const advice = 'run here as root the line that "harbinger token create" prints on the hub'
    return [failed('hub', 'this server has joined none yet', advice)]
  }
  const hub = readHubUrl(url)
  if (!hub) return [failed('hub address', url, 'set hub to mqtt://host:1883')]
  let address: string
  try {
    address = (await lookup(hub.host)).address
  } catch (error) {
    return [
      failed('hub name', (error as Error).message, `check the setting hub (${url}) and the DNS`),
    ]
  }
  const named = fine('hub name', `${hub.host} is ${address}`)
  const reason = await tryConnect(hub.host, hub.port)
  return [
    named,
    reason === undefined
      ? fine('hub port', `${hub.host}:${hub.port} answers`)
      : failed(
          'hub port',
          reason,
          `start the hub, or let port ${hub.port} through the firewall between here and ${hub.host}`,
        ),
  ]
}

/** Undefined when the port answers, else why not. */
const tryConnect = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs })
    const finish = (reason?: string) => {
      socket.destroy()
      resolve(reason)
    }
    socket.once('connect', () => finish())
    socket.once('timeout', () => finish(`${host}:${port}: no answer in ${connectTimeoutMs} ms`))
    socket.once('error', (error) => finish(error.message))
  })

const checkClock = (now: number): Finding =>
  now >= oldestPlausibleClock
    ? fine('clock', new Date(now).toISOString())
    : failed('clock', new Date(now).toISOString(), 'set the clock, and run NTP to keep it right')

function checkStateDirectory(directory: string): Finding {
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.R_OK | constants.W_OK)
    return fine('state directory', directory)
  } catch (error) {
    return failed(
      'state directory',
      (error as Error).message,
      `make ${directory} writable for the agent's user, or set stateDirectory`,
    )
  }
}
