import { positive, settings, type SettingKey } from '../settings.ts'

type Files = { readonly certificateFile: string; readonly keyFile: string }

/** How the hub proves who it is, and what agents prove themselves with. */
export type TlsConfig = {
  /** Names and addresses in the hub's certificate, the one to show to people first; empty is this machine's own. */
  readonly names: readonly string[]
  /** How long a certificate lives; the last third is for renewing it. */
  readonly serverDays: number
  readonly agentDays: number
  /** A certificate of the hub that the operator brings. */
  readonly server: Files | undefined
  /** What agents verify that one with; without it, the authorities their systems trust. */
  readonly trustFile: string | undefined
  /** An authority that the operator brings, to sign certificates of agents (and of the hub). */
  readonly authority: Files | undefined
}

type Read = <Value>(key: SettingKey, check: (text: string) => Value | undefined) => Value

const names = (given: string): string[] | undefined => {
  const all = given
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  return all.every((name) => /^[A-Za-z0-9.:_*-]{1,253}$/.test(name)) ? all : undefined
}

/** The settings under `tls`; undefined when TLS is off. */
export function readTls(value: Read, mistakes: string[]): TlsConfig | undefined {
  const mode = value('tls.mode', (text) => ['on', 'off'].find((known) => known === text))
  const text = (given: string): string => given
  const pair = (certificate: SettingKey, key: SettingKey): Files | undefined => {
    const files = { certificateFile: value(certificate, text), keyFile: value(key, text) }
    if (files.certificateFile && files.keyFile) return files
    if (files.certificateFile || files.keyFile) {
      mistakes.push(`${certificate} and ${key} belong together: set both or none`)
    }
    return undefined
  }
  const tls: TlsConfig = {
    names: value('tls.names', names),
    serverDays: value('tls.serverDays', positive),
    agentDays: value('tls.agentDays', positive),
    server: pair('tls.certificateFile', 'tls.keyFile'),
    trustFile: value('tls.trustFile', text) || undefined,
    authority: pair('tls.caCertificateFile', 'tls.caKeyFile'),
  }
  if (tls.trustFile && !tls.server) {
    mistakes.push('tls.trustFile says how to verify tls.certificateFile, which is not set')
  }
  return mode === 'on' ? tls : undefined
}

/** For --print-config. */
export function printTls(tls: TlsConfig | undefined) {
  return {
    'tls.mode': tls ? 'on' : 'off',
    'tls.names': tls?.names.join(',') ?? '',
    'tls.serverDays': tls?.serverDays ?? settings['tls.serverDays'].default,
    'tls.agentDays': tls?.agentDays ?? settings['tls.agentDays'].default,
    'tls.certificateFile': tls?.server?.certificateFile ?? '',
    'tls.keyFile': tls?.server?.keyFile ?? '',
    'tls.trustFile': tls?.trustFile ?? '',
    'tls.caCertificateFile': tls?.authority?.certificateFile ?? '',
    'tls.caKeyFile': tls?.authority?.keyFile ?? '',
  }
}
