import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readModelFolder } from '@harbinger/model-training/model/model-folder'
import { graphsFolder } from '@harbinger/model-training/model/shipped'
import type { Clock } from '../clock.ts'
import { type Config, readConfig } from '../config.ts'
import { chooseDevice } from '../forecast/choose-device.ts'
import { askHub, runningHub } from '../models/running-hub.ts'

export type Finding = {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  /** What to do; empty when all is well. */
  readonly advice: string
}

type Options = { readonly config?: string; readonly data?: string; readonly json?: boolean }

const gigabyte = 1e9
const enoughGigabytes = 2
const earliestSane = Date.UTC(2025, 0, 1)

/** `harbinger doctor` */
export function doctorCommand(program: Command, clock: Clock): void {
  program
    .command('doctor')
    .description('check configuration, disk, ports, clock, model and device, and say what to do')
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'as JSON')
    .action(async (options: Options) => {
      const findings = await examine(options, clock)
      if (options.json) process.stdout.write(`${JSON.stringify(findings)}\n`)
      else {
        for (const { check, ok, found, advice } of findings) {
          process.stdout.write(
            `${ok ? 'ok    ' : 'WRONG '} ${check}: ${found}${advice && `\n       → ${advice}`}\n`,
          )
        }
      }
      const wrong = findings.filter(({ ok }) => !ok)
      if (wrong.length > 0) throw new Error(`${wrong.length} of ${findings.length} checks failed`)
    })
}

async function examine(options: Options, clock: Clock): Promise<Finding[]> {
  let config: Config
  try {
    config = readConfig({ file: options.config, flags: { 'data.folder': options.data } })
  } catch (error) {
    const found = (error as Error).message
    return [nodeVersion(), finding('configuration', false, found, 'correct what is named')]
  }
  const { dataFolder, http, mqtt } = config
  return [
    nodeVersion(),
    finding('configuration', true, config.file ?? 'no file, defaults and environment'),
    writable(dataFolder),
    diskSpace(dataFolder),
    await portOrHub('fleet view', http, dataFolder),
    config.broker
      ? await brokerAnswers(config.broker.url)
      : await portOrHub('agents (MQTT)', mqtt, dataFolder),
    clockFinding(clock.now()),
    modelFinding(config.modelFolder),
    await deviceFinding(config),
  ]
}

const finding = (check: string, ok: boolean, found: string, advice = ''): Finding => ({
  ...{ check, ok, found },
  advice: ok ? '' : advice,
})

function nodeVersion(): Finding {
  const enough = Number(process.versions.node.split('.')[0]) >= 24
  return finding('node', enough, process.version, 'run npm ci: it brings the Node that is needed')
}

function writable(folder: string): Finding {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return finding('data folder', true, resolve(folder))
  } catch (error) {
    const advice = `let this user write there: chown "$USER" ${resolve(folder)}`
    return finding('data folder', false, (error as Error).message, advice)
  }
}

function diskSpace(folder: string): Finding {
  if (!existsSync(folder)) return finding('disk space', false, 'no data folder', 'see data folder')
  const { bavail, bsize } = statfsSync(folder)
  const free = (bavail * bsize) / gigabyte
  const advice = `${enoughGigabytes} GB should be free: 6 MB per server, and room to work`
  return finding('disk space', free >= enoughGigabytes, `${free.toFixed(1)} GB free`, advice)
}

const brokerTimeoutMs = 5_000

/** Whether anything listens there; a second client of the hub's id would push the hub off. */
function brokerAnswers(url: string): Promise<Finding> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const at = { host, port: Number(port) || (protocol === 'mqtts:' ? 8883 : 1883) }
  const advice = `start the broker, or correct broker.url; let port ${at.port} through the firewall`
  return new Promise((resolve) => {
    const socket = connect({ ...at, timeout: brokerTimeoutMs })
    const finish = (ok: boolean, found: string) => {
      socket.destroy()
      resolve(finding('broker', ok, found, advice))
    }
    socket.once('connect', () => finish(true, `${host}:${at.port} answers`))
    socket.once('timeout', () => finish(false, `${host}:${at.port}: no answer in 5 s`))
    socket.once('error', (error) => finish(false, error.message))
  })
}

type Where = { readonly host: string; readonly port: number }

/** Free, or taken by a hub of ours that answers. */
async function portOrHub(
  what: string,
  { host, port }: Where,
  dataFolder: string,
): Promise<Finding> {
  const check = `port for ${what}`
  if (await isFree({ host, port })) return finding(check, true, `${host}:${port} is free`)
  const hub = await hubOf(dataFolder)
  if (hub) return finding(check, true, `${host}:${port} is taken, a hub ${hub} runs`)
  return finding(
    check,
    false,
    `${host}:${port} is taken by another program`,
    'stop it, or set another port',
  )
}

const isFree = ({ host, port }: Where): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })

/** The version of the hub that runs on this data folder; undefined when none does. */
async function hubOf(dataFolder: string): Promise<string | undefined> {
  const hub = await runningHub(dataFolder)
  if (!hub) return undefined
  const { version } = await askHub<{ version: string }>(hub, '/health')
  return version
}

function clockFinding(now: number): Finding {
  const found = new Date(now).toISOString()
  return finding('clock', now > earliestSane, found, 'set the clock: samples are placed by it')
}

function modelFinding(folder: string): Finding {
  const found = readModelFolder(resolve(folder), { graphs: graphsFolder })
  if ('manifest' in found) return finding('model', true, `${found.manifest.id} in ${folder}`)
  const advice = 'the hub forecasts by baselines alone; harbinger train makes a model'
  return finding('model', false, found.refused, advice)
}

/** Tried as the hub tries it: the network runs there, and its numbers are held against the processor's. */
async function deviceFinding({ device: wanted, modelFolder }: Config): Promise<Finding> {
  const folder = resolve(modelFolder)
  // Without a model nothing runs; the finding before says so.
  const model = readModelFolder(folder, { graphs: graphsFolder })
  if ('refused' in model)
    return finding('device', true, `${wanted} is set, no model to try it with`)
  const { device, reason, ok } = await chooseDevice(wanted, { folder })
  const advice = 'set forecast.device to auto or cpu, or install what is missing: docs/devices.md'
  return finding('device', ok, `the network runs on ${device}: ${reason}`, advice)
}
