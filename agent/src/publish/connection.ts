import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
// The client class by itself: mqtt's front door also loads WebSockets, proxies and a command line (4 MB of memory).
import mqttClient, { type IClientOptions } from 'mqtt/lib/client'

export type MqttConnection = InstanceType<typeof mqttClient.default>

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
export function connectMqtt(hubUrl: string, options: IClientOptions): MqttConnection {
  const hub = readHubUrl(hubUrl)
  if (!hub) throw new Error(`expected a hub like mqtt://host:1883, got ${hubUrl}`)
  const { host, port, secure } = hub

  return new mqttClient.default(
    (client) => {
      if (!secure) return connectTcp({ host, port })
      const socket = connectTls({ host, port, servername: host })
      socket.on('secureConnect', () => socket.removeListener('error', failed))
      const failed = (error: Error) => {
        client.emit('error', error)
        socket.end()
      }
      socket.on('error', failed)
      return socket
    },
    {
      ...options,
      // Otherwise every packet number there can be is built in advance: 9 MB.
      writeCache: false,
      timerVariant: 'native',
    },
  )
}
