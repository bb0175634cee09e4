import { connect as connectTcp } from 'node:net'
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

/** Opens an MQTT 3.1.1 connection that mends itself. Errors of the network arrive as the event `error`. */
export async function connectMqtt(hubUrl: string, options: IClientOptions): Promise<MqttClient> {
  const hub = readHubUrl(hubUrl)
  if (!hub) throw new Error(`expected a hub like mqtt://host:1883, got ${hubUrl}`)
  const { host, port, secure } = hub
  // OpenSSL costs 6 MB of memory, which an agent that speaks in the clear need not have.
  const tls = secure ? await import('node:tls') : undefined

  return new MqttClient(
    () => (tls ? tls.connect({ host, port, servername: host }) : connectTcp({ host, port })),
    {
      ...options,
      // Otherwise every packet number there can be is built in advance: 9 MB.
      writeCache: false,
      timerVariant: 'native',
    },
  )
}
