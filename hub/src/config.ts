import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseModelFolder } from '@harbinger/model-training/model/shipped'
import { isProfile, type ProfileRule } from '@harbinger/shared/profiles'
import { parse } from 'yaml'
import { type BrokerConfig, brokerLines, readBroker } from './broker-config.ts'
import { printTls, readTls, type TlsConfig } from './identity/tls-config.ts'
import { isLoopback } from './loopback.ts'
import { type LoginSettings, readLogin, shownLogin } from './people/login-settings.ts'
import { countOrNone, positive, port, settings, type SettingKey, yesNo } from './settings.ts'
import { parseQuietHours, type QuietHours } from './training/limits.ts'

/** Everything the hub can be told, checked; nothing else reads files or the environment for it. */
export type Config = {
  readonly file: string | undefined
  readonly http: {
    readonly host: string
    readonly port: number
    readonly allowedHosts: readonly string[]
    readonly hstsSeconds: number
    readonly allowPlain: boolean
  }
  readonly mqtt: { readonly host: string; readonly port: number; readonly allowPlain: boolean }
  /** A broker that somebody else runs; undefined: the hub runs its own, at `mqtt`. */
  readonly broker: BrokerConfig | undefined
  /** Undefined when the hub speaks in the clear. */
  readonly tls: TlsConfig | undefined
  readonly dataFolder: string
  readonly modelFolder: string
  readonly device: 'auto' | 'cpu' | 'webgpu' | 'cuda'
  readonly forecastEverySeconds: number
  /** Offline for so long, a server is retired; 0 is never. */
  readonly retireAfterDays: number
  readonly retention: {
    readonly rawDays: number
    readonly minuteDays: number
    readonly quarterDays: number
  }
  /** When the hub trains by itself, for how long, and whether it promotes what it made. */
  readonly training: {
    readonly everyDays: number
    readonly minutes: number
    readonly hoursBetween: number
    readonly perWeek: number
    readonly quietHours: QuietHours | undefined
    readonly promote: 'auto' | 'manual'
  }
  readonly demo: { readonly servers: number; readonly seed: number }
  readonly login: LoginSettings
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly uiFolder: string
  readonly profileRules: readonly ProfileRule[]
}

export type Flags = { readonly [key in SettingKey]?: string | number | undefined }

type Sources = {
  readonly file?: string | undefined
  readonly flags?: Flags
  readonly env?: NodeJS.ProcessEnv
}

const installedFile = '/etc/harbinger/hub.yaml'
const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Flags before environment before file before defaults. Throws one error that lists every mistake. */
export function readConfig({ file, flags = {}, env = process.env }: Sources = {}): Config {
  const mistakes: string[] = []
  const path = file ?? [join('.harbinger', 'hub.yaml'), installedFile].find((p) => existsSync(p))
  const written = path === undefined ? new Map<string, unknown>() : readYaml(path, mistakes)
  for (const key of written.keys()) {
    if (!Object.hasOwn(settings, key) && key !== 'profiles.rules') {
      mistakes.push(`${path}: ${key} is no setting; there are ${Object.keys(settings).join(', ')}`)
    }
  }
  const value = <Value>(key: SettingKey, check: (text: string) => Value | undefined): Value => {
    const setting = settings[key]
    const places = [
      ['the command line', flags[key]],
      [setting.env, env[setting.env]],
      [`${path}`, written.get(key)],
    ] as const
    const [place, given] = places.find(([, v]) => v !== undefined) ?? ['default', setting.default]
    const text = Array.isArray(given) ? given.join(',') : String(given)
    const checked = check(text)
    if (checked === undefined) {
      mistakes.push(`${key} = ${text} (from ${place}): expected ${setting.expects}`)
      return check(String(setting.default))!
    }
    return checked
  }
  const oneOf =
    <const Values extends readonly string[]>(...values: Values) =>
    (text: string): Values[number] | undefined =>
      values.find((v) => v === text)
  const text = (given: string): string | undefined => given || undefined
  const list = (given: string) =>
    given
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)

  const tls = readTls(value, mistakes)
  // With TLS the usual ports are others, so that nobody takes one for the other.
  const portOf = (key: 'http.port' | 'mqtt.port', secure: number): number => {
    const { env: variable } = settings[key]
    const isGiven = [flags[key], env[variable], written.get(key)].some((v) => v !== undefined)
    return tls && !isGiven ? secure : value(key, port)
  }
  const config: Config = {
    file: path,
    http: {
      host: value('http.host', text),
      port: portOf('http.port', 8443),
      hstsSeconds: value('http.hstsSeconds', countOrNone),
      allowedHosts: value('http.allowedHosts', list),
      allowPlain: value('http.allowPlain', yesNo),
    },
    mqtt: {
      host: value('mqtt.host', text),
      port: portOf('mqtt.port', 8883),
      allowPlain: value('mqtt.allowPlain', yesNo),
    },
    broker: readBroker(value, mistakes),
    tls,
    dataFolder: value('data.folder', text),
    modelFolder: value('model.folder', (given) => given || baseModelFolder),
    device: value('forecast.device', oneOf('auto', 'cpu', 'webgpu', 'cuda')),
    forecastEverySeconds: value('forecast.everySeconds', positive),
    retention: {
      rawDays: value('retention.rawDays', positive),
      minuteDays: value('retention.minuteDays', positive),
      quarterDays: value('retention.quarterDays', positive),
    },
    retireAfterDays: value('servers.retireAfterDays', countOrNone),
    training: {
      everyDays: value('training.everyDays', countOrNone),
      minutes: value('training.minutes', positive),
      hoursBetween: value('training.hoursBetween', positive),
      perWeek: value('training.perWeek', positive),
      quietHours: quietHours(value('training.quietHours', parseQuietHours)),
      promote: value('training.promote', oneOf('auto', 'manual')),
    },
    demo: {
      servers: value('demo.servers', (given) => (/^\d{1,5}$/.test(given) ? +given : undefined)),
      seed: value('demo.seed', (given) => (/^\d{1,9}$/.test(given) ? +given : undefined)),
    },
    login: readLogin(value, mistakes),
    logLevel: value('log.level', oneOf('debug', 'info', 'warn', 'error', 'silent')),
    uiFolder: value('ui.folder', (given) => given || join(repository, 'ui', 'dist')),
    profileRules: readRules(written.get('profiles.rules'), mistakes),
  }
  if (config.broker && config.demo.servers > 0) {
    mistakes.push(
      'demo.servers: the simulated fleet speaks to the embedded broker; leave broker.url out',
    )
  }
  if (!config.broker && !tls && !config.mqtt.allowPlain && !isLoopback(config.mqtt.host)) {
    mistakes.push(
      `mqtt.host = ${config.mqtt.host}: without TLS agents are heard on this machine alone; set tls.mode to on, or mqtt.allowPlain to yes if everybody on that network may read and forge what servers say`,
    )
  }
  if (!tls && !config.http.allowPlain && !isLoopback(config.http.host)) {
    mistakes.push(
      `http.host = ${config.http.host}: without TLS the fleet view is served on this machine alone; set tls.mode to on, or http.allowPlain to yes if everybody on that network may read passwords and sessions, or a proxy with TLS stands before the hub`,
    )
  }
  if (mistakes.length > 0) {
    throw new Error(
      `the configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n  ${mistakes.join('\n  ')}`,
    )
  }
  return Object.freeze(config)
}

const quietHours = (read: QuietHours | 'none'): QuietHours | undefined =>
  read === 'none' ? undefined : read

/** "08:00-18:00", or nothing. */
function quietHoursText(hours: QuietHours | undefined): string {
  if (!hours) return ''
  const clock = (minutes: number): string =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  return `${clock(hours.from)}-${clock(hours.to)}`
}

/** Leaves of the file as "group.name"; lists stay whole. */
function readYaml(path: string, mistakes: string[]): Map<string, unknown> {
  const leaves = new Map<string, unknown>()
  const visit = (node: unknown, prefix: string): void => {
    if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
      for (const [key, child] of Object.entries(node))
        visit(child, prefix ? `${prefix}.${key}` : key)
    } else if (prefix && node !== null) leaves.set(prefix, node)
  }
  try {
    visit(parse(readFileSync(path, 'utf8')), '')
  } catch (error) {
    mistakes.push(`${path}: ${(error as Error).message}`)
  }
  return leaves
}

function readRules(given: unknown, mistakes: string[]): readonly ProfileRule[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) {
    mistakes.push('profiles.rules: expected a list of {pattern, profile}')
    return []
  }
  return given.flatMap((rule: { pattern?: unknown; profile?: unknown } | null, i) => {
    const { pattern, profile } = rule ?? {}
    if (typeof pattern !== 'string' || !isPattern(pattern)) {
      mistakes.push(`profiles.rules[${i}].pattern: expected a regular expression`)
    } else if (typeof profile !== 'string' || !isProfile(profile)) {
      mistakes.push(`profiles.rules[${i}].profile: ${String(profile)} is no profile`)
    } else return [{ pattern, profile }]
    return []
  })
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp
  } catch {
    return false
  }
}

/** What is in force, one line per setting, with secrets masked. */
export function printConfig(config: Config): string {
  const flat: Record<SettingKey, unknown> = {
    'http.host': config.http.host,
    'http.port': config.http.port,
    'http.hstsSeconds': config.http.hstsSeconds,
    'http.allowedHosts': config.http.allowedHosts.join(','),
    'http.allowPlain': config.http.allowPlain ? 'yes' : 'no',
    'mqtt.host': config.mqtt.host,
    'mqtt.port': config.mqtt.port,
    'mqtt.allowPlain': config.mqtt.allowPlain ? 'yes' : 'no',
    ...brokerLines(config.broker),
    ...printTls(config.tls),
    'data.folder': config.dataFolder,
    'model.folder': config.modelFolder,
    'forecast.device': config.device,
    'forecast.everySeconds': config.forecastEverySeconds,
    'retention.rawDays': config.retention.rawDays,
    'retention.minuteDays': config.retention.minuteDays,
    'retention.quarterDays': config.retention.quarterDays,
    'servers.retireAfterDays': config.retireAfterDays,
    'training.everyDays': config.training.everyDays,
    'training.minutes': config.training.minutes,
    'training.hoursBetween': config.training.hoursBetween,
    'training.perWeek': config.training.perWeek,
    'training.quietHours': quietHoursText(config.training.quietHours),
    'training.promote': config.training.promote,
    'demo.servers': config.demo.servers,
    'demo.seed': config.demo.seed,
    ...shownLogin(config.login),
    'log.level': config.logLevel,
    'ui.folder': config.uiFolder,
  }
  const lines = Object.entries(flat).map(([key, value]) => {
    const { env, unit, secret } = settings[key as SettingKey]
    const shown = secret && value ? '********' : JSON.stringify(value)
    return `${key}: ${shown}  # ${[unit, env].filter(Boolean).join('; ')}`
  })
  return [`# ${config.file ? `from ${config.file}` : 'no configuration file'}`, ...lines].join('\n')
}
