import { readFileSync } from 'node:fs'
import { isLoopback } from './loopback.ts'
import { type SettingKey, yesNo } from './settings.ts'

/** How the hub reaches a broker that somebody else runs. */
export type BrokerConfig = {
  readonly url: string
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly passwordFile: string | undefined
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly allowPlain: boolean
}

type Read = <Value>(key: SettingKey, check: (text: string) => Value | undefined) => Value

/** The settings of an external broker; undefined without an address. Adds to `mistakes` what does not fit together. */
export function readBroker(value: Read, mistakes: string[]): BrokerConfig | undefined {
  const optional = (key: SettingKey) => value(key, (text) => ({ text: text || undefined })).text
  const url = value('broker.url', (text) => (text === '' || isBrokerUrl(text) ? text : undefined))
  const broker = {
    url,
    clientId: value('broker.clientId', (text) =>
      /^[A-Za-z0-9._-]{1,64}$/.test(text) ? text : undefined,
    ),
    username: optional('broker.username'),
    password: optional('broker.password'),
    passwordFile: optional('broker.passwordFile'),
    caFile: optional('broker.caFile'),
    certFile: optional('broker.certFile'),
    keyFile: optional('broker.keyFile'),
    allowPlain: value('broker.allowPlain', yesNo),
  }
  if (url === '') return undefined
  const { protocol, hostname, username, password } = new URL(url)
  if (username !== '' || password !== '') {
    mistakes.push(
      'broker.url: name and password belong into broker.username and broker.passwordFile',
    )
  }
  if (protocol === 'mqtt:' && !isLoopback(hostname) && !broker.allowPlain) {
    mistakes.push(
      `broker.url: ${protocol}//${hostname} is not encrypted; use mqtts://, or say broker.allowPlain: yes`,
    )
  }
  if ((broker.certFile === undefined) !== (broker.keyFile === undefined)) {
    mistakes.push('broker.certFile and broker.keyFile belong together: one of them is missing')
  }
  if (broker.password !== undefined && broker.passwordFile !== undefined) {
    mistakes.push('broker.password and broker.passwordFile: give one of them')
  }
  return {
    ...broker,
    password: broker.password ?? readSecret(broker.passwordFile, mistakes),
  }
}

function isBrokerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, pathname } = new URL(text)
  return /^mqtts?:$/.test(protocol) && hostname !== '' && /^\/?$/.test(pathname)
}

function readSecret(file: string | undefined, mistakes: string[]): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8').trimEnd()
  } catch (error) {
    mistakes.push(`broker.passwordFile: ${(error as Error).message}`)
    return undefined
  }
}

/** The settings in force, for --print-config; a password is masked there whatever it came from. */
export const brokerLines = (broker: BrokerConfig | undefined) => ({
  'broker.url': broker?.url ?? '',
  'broker.clientId': broker?.clientId ?? 'harbinger-hub',
  'broker.username': broker?.username ?? '',
  'broker.password': broker?.password ?? '',
  'broker.passwordFile': broker?.passwordFile ?? '',
  'broker.caFile': broker?.caFile ?? '',
  'broker.certFile': broker?.certFile ?? '',
  'broker.keyFile': broker?.keyFile ?? '',
  'broker.allowPlain': broker?.allowPlain ? 'yes' : 'no',
})
