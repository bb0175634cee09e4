import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { sha256Of } from './authority.ts'
import { keysFolder, readIfThere } from './secret-files.ts'
import { machineNames } from './server-credentials.ts'
import type { TlsConfig } from './tls-config.ts'

type Where = {
  readonly dataFolder: string
  readonly tls: TlsConfig | undefined
  readonly http: { readonly port: number }
}

/** `https://name:port` as the hub's certificate has it. */
export function hubAddress(scheme: 'https' | 'mqtts', tls: TlsConfig, port: number): string {
  const name = tls.names[0] ?? machineNames()[0]!
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** Where a server joins and by what it knows the hub, for the command line. Throws when nobody can join. */
export function joinAddress({ dataFolder, tls, http }: Where) {
  if (!tls) {
    throw new Error(
      'this hub runs without TLS, so no agent can join: set tls.mode to on (docs/security.md); if the hub has its configuration elsewhere, name it with --config',
    )
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
