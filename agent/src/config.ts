import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAbsolute } from 'node:path'
import {
  defaultIntervalSeconds,
  maxIntervalSeconds,
  minIntervalSeconds,
} from '@harbinger/shared/interval'
import { isProfile, type Profile, profiles } from '@harbinger/shared/profiles'
import { isServerName } from '@harbinger/shared/server'
import { readFlatYaml } from './flat-yaml.ts'
import { type LogLevel, logLevels } from './log.ts'
import { readHubUrl } from './publish/connection.ts'

/** The setting `hub` of an agent that was installed and has joined no hub yet. */
export const noHub = 'none'

export type Config = {
  readonly server: string
  readonly hub: string
  readonly caFile: string | undefined
  readonly identityFile: string | undefined
  readonly renewalUrl: string | undefined
  readonly intervalSeconds: number
  readonly profile: Profile | undefined
  readonly tags: readonly string[]
  readonly watchedFileSystem: string | undefined
  readonly procRoot: string
  readonly sysRoot: string
  readonly stateDirectory: string
  readonly statusDirectory: string | undefined
  readonly spoolDays: number
  readonly spoolMegabytes: number
  readonly spoolMemorySamples: number
  readonly logLevel: LogLevel
}

type Setting<Value = unknown> = {
  readonly env: string
  readonly unit?: string
  readonly help: string
  readonly fallback: () => Value
  /** The value, or a sentence that says what was expected. */
  readonly read: (given: unknown) => Value | Wrong
}

type Wrong = { readonly expected: string }

const wrong = (expected: string): Wrong => ({ expected })

const text =
  (expected: string, accepts: (value: string) => boolean = () => true) =>
  (given: unknown): string | Wrong =>
    typeof given === 'string' && given !== '' && accepts(given) ? given : wrong(expected)

const integer = (min: number, max: number) => (given: unknown) => {
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
    ? (value as number)
    : wrong(`a whole number from ${min} to ${max}`)
}

const oneOf =
  <Value extends string>(values: readonly Value[]) =>
  (given: unknown): Value | Wrong =>
    values.find((value) => value === given) ?? wrong(`one of ${values.join(', ')}`)

const absolutePath = text('an absolute path', isAbsolute)

/** Every setting: key in YAML, variable of the environment, default, unit. */
export const settings: { readonly [key in keyof Config]: Setting<Config[key]> } = {
  server: {
    env: 'HARBINGER_SERVER',
    help: 'name of this server (default: its host name)',
    fallback: hostname,
    read: text('1 to 253 characters of A-Z a-z 0-9 . _ -', isServerName),
  },
  hub: {
    env: 'HARBINGER_HUB',
    help: 'where the hub hears agents, mqtt://host:port or mqtts://host:port; none until one is joined; join writes it',
    fallback: () => 'mqtt://127.0.0.1:1883',
    read: text(
      'an address like mqtt://host:1883, or none',
      (url) => url === noHub || readHubUrl(url) !== undefined,
    ),
  },
  caFile: {
    env: 'HARBINGER_CA_FILE',
    help: 'PEM file that verifies the hub over mqtts (default: what this system trusts); join writes it',
    fallback: () => undefined,
    read: absolutePath,
  },
  identityFile: {
    env: 'HARBINGER_IDENTITY_FILE',
    help: 'PEM file with the key and the certificate of this agent; join writes it',
    fallback: () => undefined,
    read: absolutePath,
  },
  renewalUrl: {
    env: 'HARBINGER_RENEWAL_URL',
    help: 'where the certificate is renewed, https://host:8443; join writes it',
    fallback: () => undefined,
    read: text(
      'an address like https://host:8443',
      (url) => URL.canParse(url) && new URL(url).protocol === 'https:',
    ),
  },
  intervalSeconds: {
    env: 'HARBINGER_INTERVAL_SECONDS',
    unit: 's',
    help: 'time between two samples, until the hub asks for another',
    fallback: () => defaultIntervalSeconds,
    read: integer(minIntervalSeconds, maxIntervalSeconds),
  },
  profile: {
    env: 'HARBINGER_PROFILE',
    help: `what the server is for: ${profiles.join(', ')} (default: the hub decides)`,
    fallback: () => undefined,
    read: (given) =>
      typeof given === 'string' && isProfile(given)
        ? given
        : wrong(`one of ${profiles.join(', ')}`),
  },
  tags: {
    env: 'HARBINGER_TAGS',
    help: 'labels of this server: a list, in the environment separated by commas',
    fallback: () => [],
    read(given) {
      const tags = typeof given === 'string' ? given.split(',').map((tag) => tag.trim()) : given
      const isTag = (tag: unknown) => typeof tag === 'string' && tag !== '' && tag.length <= 64
      return Array.isArray(tags) && tags.length <= 32 && tags.every(isTag)
        ? (tags as string[])
        : wrong('at most 32 labels of at most 64 characters')
    },
  },
  watchedFileSystem: {
    env: 'HARBINGER_WATCHED_FILE_SYSTEM',
    help: 'mount point whose usage is reported (default: the fullest local one)',
    fallback: () => undefined,
    read: absolutePath,
  },
  procRoot: {
    env: 'HARBINGER_PROC_ROOT',
    help: 'where the proc file system is mounted',
    fallback: () => '/proc',
    read: absolutePath,
  },
  sysRoot: {
    env: 'HARBINGER_SYS_ROOT',
    help: 'where the sys file system is mounted',
    fallback: () => '/sys',
    read: absolutePath,
  },
  stateDirectory: {
    env: 'HARBINGER_STATE_DIRECTORY',
    help: 'folder for the spool, the sequence number and the status file',
    fallback: () => '.harbinger/agent',
    read: text('a path'),
  },
  statusDirectory: {
    env: 'HARBINGER_STATUS_DIRECTORY',
    help: 'folder for the status file, written once a minute; in memory (/run) it costs no disk (default: stateDirectory)',
    fallback: () => undefined,
    read: absolutePath,
  },
  spoolDays: {
    env: 'HARBINGER_SPOOL_DAYS',
    unit: 'days',
    help: 'how long samples that the hub has not taken are kept on disk; the oldest are dropped first',
    fallback: () => 7,
    read: integer(1, 365),
  },
  spoolMegabytes: {
    env: 'HARBINGER_SPOOL_MEGABYTES',
    unit: 'MB',
    help: 'how much of the disk they may take; the oldest are dropped first',
    fallback: () => 64,
    read: integer(1, 10_000),
  },
  spoolMemorySamples: {
    env: 'HARBINGER_SPOOL_MEMORY_SAMPLES',
    unit: 'samples',
    help: 'how many samples wait in memory while the disk is full or read-only (250 bytes each)',
    fallback: () => 8_640,
    read: integer(1, 1_000_000),
  },
  logLevel: {
    env: 'HARBINGER_LOG_LEVEL',
    help: `least important lines that are logged: ${logLevels.join(', ')}`,
    fallback: () => 'info',
    read: oneOf(logLevels),
  },
}

/** Read in this order when no file is named: a checkout's own, then the installed one. */
export const defaultConfigFiles = ['.harbinger/agent.yaml', '/etc/harbinger/agent.yaml'] as const

export type ConfigSource = {
  /** Named by the person who starts the agent; it must exist. */
  readonly file?: string | undefined
  readonly env?: { readonly [name: string]: string | undefined }
}

/** The file that settings come from; undefined when there is none and the environment alone says them. */
export const usedConfigFile = (named: string | undefined): string | undefined =>
  named ?? defaultConfigFiles.find((file) => existsSync(file))

/** The environment wins over the file, the file over the defaults. Throws one error that lists every mistake. */
export async function loadConfig({ file, env = process.env }: ConfigSource = {}): Promise<Config> {
  const mistakes: string[] = []
  const fromFile = await readConfigFile(file, mistakes)
  for (const key of Object.keys(fromFile)) {
    if (!Object.hasOwn(settings, key)) {
      mistakes.push(`${key}: no such setting; there are ${Object.keys(settings).join(', ')}`)
    }
  }
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, setting]: [string, Setting]) => {
      const given = env[setting.env] ?? fromFile[key]
      const value = setting.read(given ?? setting.fallback())
      if (!isWrong(value)) return [key, value]
      // A default may be missing (profile) or unusable (a host name with other characters).
      if (given == null && setting.fallback() === undefined) return [key, undefined]
      const name = env[setting.env] === undefined ? key : setting.env
      mistakes.push(
        `${name}: expected ${value.expected}, got ${JSON.stringify(given ?? setting.fallback())}`,
      )
      return [key, undefined]
    }),
  )
  if (mistakes.length > 0) {
    throw new Error(`the configuration has mistakes:\n${mistakes.map((m) => `  ${m}`).join('\n')}`)
  }
  return Object.freeze(config as Config)
}

const isWrong = (value: unknown): value is Wrong =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'expected')

async function readConfigFile(
  named: string | undefined,
  mistakes: string[],
): Promise<{ readonly [key: string]: unknown }> {
  for (const file of named === undefined ? defaultConfigFiles : [named]) {
    let content: string
    try {
      content = readFileSync(file, 'utf8')
    } catch (error) {
      if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') continue
      mistakes.push(`${file}: cannot be read: ${(error as Error).message}`)
      return {}
    }
    try {
      // Only an agent whose file needs it pays for the parser (1.3 MB).
      const values: unknown = readFlatYaml(content) ?? (await import('yaml')).parse(content) ?? {}
      if (typeof values === 'object' && !Array.isArray(values)) {
        return values as { [key: string]: unknown }
      }
      mistakes.push(`${file}: expected settings like "hub: mqtt://host:1883"`)
    } catch (error) {
      mistakes.push(`${file}: ${(error as Error).message}`)
    }
    return {}
  }
  return {}
}

/** The table of settings, for --help. */
export const settingsHelp = (): string =>
  [
    'Settings (YAML key, environment variable, default, unit):',
    ...Object.entries(settings).flatMap(([key, { env, unit, help, fallback }]) => {
      const value = key === 'server' ? 'host name' : JSON.stringify(fallback() ?? null)
      return [`  ${key}  ${env}  ${value}${unit ? `  ${unit}` : ''}`, `      ${help}`]
    }),
    `Files: ${defaultConfigFiles.join(', ')}; the environment wins over the file.`,
  ].join('\n')
