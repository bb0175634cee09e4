import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type IClientOptions, MqttClient } from 'mqtt'

const defaultPorts = { 'mqtt:': 1883, 'mqtts:': 8883 } as const

/** Where a hub is, from its address; undefined for an address that is none. */
export function readHubUrl(
  text: string,
): { readonly host: string; readonly port: number; readonly secure: boolean } | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, port } = new URL(text)
  if (hostname === '' || !(protocol === 'mqtt:' || protocol === 'mqtts:')) return undefined
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? defaultPorts[protocol] : Number(port),
    secure: protocol === 'mqtts:',
  }
}

/** With what both sides of a secure connection prove who they are. */
export type CredentialFiles = {
  /** Verifies the hub; undefined takes what this system trusts. */
  readonly caFile?: string | undefined
  /** Key and certificate of this agent. */
  readonly identityFile?: string | undefined
}

/** Opens an MQTT 3.1.1 connection that mends itself. Errors of the network arrive as the event `error`. */
export async function connectMqtt(
  hubUrl: string,
  options: IClientOptions,
  files: CredentialFiles = {},
): Promise<MqttClient> {
  const hub = readHubUrl(hubUrl)
  if (!hub) throw new Error(`expected a hub like mqtt://host:1883, got ${hubUrl}`)
  const { host, port, secure } = hub
  const connect = secure
    ? await secureConnection(host, port, files)
    : () => connectTcp({ host, port })

  return new MqttClient(connect, {
    ...options,
    // Who was refused may be let in later: its certificate is allowed again, or it joins again.
    reconnectOnConnackError: true,
    // Otherwise every packet number there can be is built in advance: 9 MB.
    writeCache: false,
    timerVariant: 'native',
  })
}

/** TLS with certificates on both sides. The files are read for each connection, which finds them renewed. */
async function secureConnection(
  host: string,
  port: number,
  { caFile, identityFile }: CredentialFiles,
): Promise<() => Socket> {
  // OpenSSL costs 6 MB of memory, which an agent that speaks in the clear need not have.
  const tls = await import('node:tls')
  const system =
    caFile === undefined
      ? [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])]
      : undefined
  const read = () => {
    const identity = identityFile === undefined ? undefined : readFileSync(identityFile, 'utf8')
    const ca = caFile === undefined ? system : readFileSync(caFile, 'utf8')
    return { ca, ...(identity !== undefined && { key: identity, cert: identity }) }
  }
  let credentials = read()

  return () => {
    try {
      credentials = read()
    } catch {
      // A file that is away for a moment must not end the agent; the last one may still do.
    }
    return tls.connect({
      ...{ host, port, minVersion: 'TLSv1.2', allowPartialTrustChain: true },
      // An address is no server name (RFC 6066, 3); the certificate is still held against it.
      servername: isIP(host) ? '' : host,
      ...credentials,
    })
  }
}
