import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { failed, type Finding, fine, notChecked } from '@harbinger/shared/findings'
import { type Place, stepMs } from './reach.ts'

/** What is heard from a port after MQTT's first words. */
export type Greeted =
  | { readonly connack: number }
  | { readonly heard: 'http' | 'tls' | 'nothing' | 'the end' | 'something else' }

/**
 * Greets a broker in the clear under a name of its own: a second connection of the agent's name would push the live
 * one off. It subscribes to nothing, says nothing and takes leave.
 */
export const greetBroker = ({ host, port }: Place): Promise<Greeted> =>
  new Promise((resolve) => {
    const id = Buffer.from(`harbinger-doctor-${randomBytes(4).toString('hex')}`)
    const socket = connect({ host, port, timeout: stepMs })
    const finish = (greeted: Greeted) => {
      socket.end()
      socket.destroySoon()
      resolve(greeted)
    }
    // CONNECT of MQTT 3.1.1: clean session, no will, keep alive 10 s [MQTT-3.1].
    const content = Buffer.concat([
      Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 10, 0, id.length]),
      id,
    ])
    socket.once('connect', () =>
      socket.write(Buffer.concat([Buffer.from([0x10, content.length]), content])),
    )
    socket.once('data', (bytes) => {
      if (bytes[0] === 0x20 && bytes.length >= 4) {
        if (bytes[3] === 0) socket.write(Buffer.from([0xe0, 0]))
        return finish({ connack: bytes[3]! })
      }
      const heard = bytes.subarray(0, 5).toString('latin1') === 'HTTP/' ? 'http' : undefined
      finish({ heard: heard ?? (bytes[0] === 0x15 ? 'tls' : 'something else') })
    })
    socket.once('timeout', () => finish({ heard: 'nothing' }))
    socket.once('end', () => finish({ heard: 'the end' }))
    socket.once('error', () => finish({ heard: 'the end' }))
  })

export function judgeGreeting(check: string, { host, port }: Place, greeted: Greeted): Finding {
  const at = `${host}:${port}`
  if ('connack' in greeted) {
    if (greeted.connack === 0) return fine(check, `an MQTT broker at ${at} lets clients in`)
    if (greeted.connack === 3) {
      return failed(check, `the broker at ${at} is there and not ready`, 'look at its log')
    }
    return notChecked(
      check,
      `the broker at ${at} lets in whom it knows, and the doctor must not call itself as the agent does (code ${greeted.connack}): see "connection"`,
    )
  }
  const what = {
    http: [
      'a web server answers',
      `that is the fleet view; agents are heard on another port, usually 1883 or 8883: harbinger hub --print-config on ${host}`,
    ],
    tls: [
      'it speaks TLS',
      `write mqtts://${host}:${port}, and join first: harbinger token create on the hub prints the line`,
    ],
    nothing: [`nothing is said for ${stepMs / 1000} s`, 'is this the port of a hub or a broker?'],
    'the end': [
      'the connection is closed at once',
      `what listens there is no MQTT broker or shuts this server out; on ${host}: ss -ltnp 'sport = :${port}'`,
    ],
    'something else': [
      'what answers does not speak MQTT',
      `on ${host}: ss -ltnp 'sport = :${port}'`,
    ],
  } as const
  const [found, advice] = what[greeted.heard]
  return failed(check, `${at} is no MQTT broker: ${found}`, advice)
}
