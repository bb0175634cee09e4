import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { sha256Of } from './authority.ts'
import { keysFolder, readIfThere } from './secret-files.ts'
import { machineNames } from './server-credentials.ts'
import { isLoopback } from '../loopback.ts'
import type { TlsConfig } from './tls-config.ts'

type Where = {
  readonly dataFolder: string
  readonly tls: TlsConfig | undefined
  readonly http: { readonly port: number }
  readonly broker?: { readonly url: string } | undefined
}

/** The reason why no agent can join this hub; undefined when they can. */
export function whyNobodyJoins(
  tls: TlsConfig | undefined,
  brokerUrl: string | undefined,
): string | undefined {
  if (!tls) {
    return 'this hub runs without TLS, so no agent can join: set tls.mode to on (docs/security.md), then start it again'
  }
  if (brokerUrl !== undefined && !brokerUrl.startsWith('mqtts:')) {
    return 'this hub hears agents through a broker in the clear, where a certificate counts for nothing: give agents the address of the broker, or set broker.url to an mqtts address (docs/external-broker.md)'
  }
  return undefined
}

/** `https://name:port` as the hub's certificate has it. */
export function hubAddress(scheme: 'https' | 'mqtts', tls: TlsConfig, port: number): string {
  const name = tls.names[0] ?? machineNames()[0]!
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** Where people reach the view: by a name of the hub, or by the address it listens on. */
export function reachable(
  { tls, host }: { readonly tls: TlsConfig | undefined; readonly host: string },
  { address, port }: { readonly address: string; readonly port: number },
): string {
  if (isLoopback(host)) return address
  const isAnywhere = ['0.0.0.0', '::', ''].includes(host)
  const name = tls?.names[0] ?? (isAnywhere ? machineNames()[0]! : host)
  return `${tls ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** Where a server joins and by what it knows the hub, for the command line. Throws when nobody can join. */
export function joinAddress({ dataFolder, tls, http, broker }: Where) {
  const reason = whyNobodyJoins(tls, broker?.url)
  if (!tls || reason !== undefined) {
    throw new Error(`${reason}; if the hub has its configuration elsewhere, name it with --config`)
  }
  const hub = hubAddress('https', tls, http.port)
  if (tls.server) return { hub, caSha256: null }
  const file = tls.authority?.certificateFile ?? join(keysFolder(dataFolder) ?? '', 'ca.pem')
  const certificate = readIfThere(file)
  if (certificate === undefined) {
    throw new Error(`${file} is not there yet: the hub makes it when it first starts; start it`)
  }
  return { hub, caSha256: sha256Of(new X509Certificate(certificate)) }
}
