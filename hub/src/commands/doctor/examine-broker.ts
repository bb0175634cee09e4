import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { connect, type MqttClient } from 'mqtt'
import { failed, type Finding, fine, notChecked } from '@harbinger/shared/findings'
import { topic } from '@harbinger/shared/topics'
import type { BrokerConfig } from '../../broker-config.ts'
import { brokerCredentials, shownUrl } from '../../ingest/external-broker.ts'
import { type Asked, stepMs } from './asked.ts'

const check = 'broker'

/**
 * The broker that somebody else runs. A hub that runs is asked: a second client of its name would push it off. Where
 * none does, the broker is asked under another name, for topics of that name.
 */
export async function examineBroker({ hub, config: { broker } }: Asked): Promise<Finding[]> {
  if (!broker) return []
  const at = shownUrl(broker.url)
  if (hub.state === 'answers') {
    const { connected, reason, since } = hub.health.broker
    return [
      connected
        ? fine(check, `the hub is connected to ${at} since ${since}`)
        : failed(
            check,
            `the hub is not connected to ${at}: ${reason}`,
            adviceOn(reason ?? '', broker),
          ),
    ]
  }
  if (hub.state !== 'none')
    return [
      notChecked(
        check,
        'the hub does not answer, and another client of its kind could push it off',
      ),
    ]
  return [await tryBroker(broker, at)]
}

async function tryBroker(broker: BrokerConfig, at: string): Promise<Finding> {
  const clientId = `harbinger-doctor-${randomBytes(4).toString('hex')}`
  let client: MqttClient | undefined
  try {
    await lookUp(new URL(broker.url).hostname)
    client = connect(broker.url, {
      ...brokerCredentials(broker),
      ...{ clientId, protocolVersion: 4, clean: true, reconnectPeriod: 0, connectTimeout: stepMs },
    })
    client.on('error', () => {})
    await inTime(heard(client, clientId))
    return fine(check, `${at} lets the hub in and lets it hear agents (asked as ${clientId})`)
  } catch (error) {
    const { message } = error as Error
    return failed(check, `${at}: ${message}`, adviceOn(message, broker))
  } finally {
    client?.end(true)
  }
}

async function heard(client: MqttClient, clientId: string): Promise<void> {
  await opened(client)
  // Topics of this name, as the rights of the hub have them for every name; nothing is retained there.
  for (const kind of ['status', 'inventory', 'samples', 'backlog'] as const) {
    await client.subscribeAsync(topic(clientId, kind), { qos: 1 })
  }
}

/** A broker that takes a connection and then says nothing is one that does not answer. */
function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${stepMs / 1000} s`)), stepMs + 500)
  })
  work.catch(() => {})
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const script = `require('node:dns').lookup(process.argv[1], (error) => console.log(error?.code ?? 'found'))`

/** In a process of its own: what hangs in the C library for want of a DNS server would hold this one up. */
const lookUp = (host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['-e', script, host.replace(/^\[|\]$/g, '')],
      { timeout: stepMs, killSignal: 'SIGKILL' },
      (error, stdout) => {
        const code = error ? 'EAI_AGAIN' : stdout.trim()
        if (code === 'found') resolve()
        else reject(new Error(`${host} is not found (${code})`))
      },
    )
  })

const opened = (client: MqttClient): Promise<void> =>
  new Promise((resolve, reject) => {
    let reason: Error | undefined
    client.once('connect', () => resolve())
    client.on('error', (error) => {
      reason ??= error
      reject(error)
    })
    client.once('close', () =>
      reject(reason ?? new Error(`no answer in ${stepMs / 1000} s, or the connection was closed`)),
    )
  })

function adviceOn(reason: string, { url, caFile, username }: BrokerConfig): string {
  const host = new URL(url).hostname
  if (/ENOTFOUND/.test(reason))
    return `there is no ${host}: correct broker.url; to try: getent hosts ${host}`
  if (/EAI_AGAIN/.test(reason))
    return `no DNS server answers: cat /etc/resolv.conf; getent hosts ${host}`
  if (/ECONNREFUSED/.test(reason))
    return `start the broker, or correct broker.url; on ${host}: systemctl status mosquitto; ss -ltn`
  if (/no answer|ETIMEDOUT|connack timeout|EHOSTUNREACH|ENETUNREACH/.test(reason))
    return `let its port through the firewalls between here and ${host}; is it a port of a broker?`
  if (/bad user ?name or password|not authorized/i.test(reason))
    return `correct broker.username${username === undefined ? ' (it is not set)' : ''} and broker.passwordFile; the broker's log says whom it saw`
  if (/expired|not yet valid/i.test(reason))
    return 'the broker has to be given a new certificate; or compare the clocks: date -u'
  if (/altname|Hostname\/IP/i.test(reason))
    return 'call the broker in broker.url by a name that stands in its certificate'
  if (/self.signed|unable to (verify|get)|issuer/i.test(reason))
    return `broker.caFile has to be who signed the broker's certificate${caFile === undefined ? " (it is not set: the system's authorities are taken)" : ` (it is ${caFile})`}; what it shows: openssl s_client -connect ${new URL(url).host} -showcerts </dev/null`
  if (/subscrib|128|unspecified/i.test(reason))
    return 'the broker refuses the topics: docs/external-broker.md has the rights that the hub needs'
  if (/cannot be read/.test(reason)) return 'let the user of the hub read it: chown harbinger: FILE'
  return 'the log of the broker says more'
}
