import { connectAsync, type MqttClient } from 'mqtt'
import { type Scenario, simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import type { Sample } from '@harbinger/shared/sample'
import { topic, topicRoot } from '@harbinger/shared/topics'
import { contractVersion } from '@harbinger/shared/version'

export type PublishOptions = {
  readonly hub: string
  readonly servers: number
  readonly seed: number
  /** How many times faster than the clock the fleet lives. */
  readonly speed: number
  readonly scenario: Scenario | undefined
  readonly intervalMs: number
  /** One connection for the whole fleet instead of one per server. */
  readonly shared: boolean
  readonly now: () => number
}

/** A simulated fleet that speaks MQTT as agents do. */
export async function publishFleet(options: PublishOptions) {
  const { hub, servers, seed, speed, intervalMs, shared, now } = options
  const startedAt = now()
  const fleet = simulatedFleet({ seed, servers, startAt: startedAt })
  const lives = (at: number): number => Math.round(startedAt + (at - startedAt) * speed)
  let scenario: Scenario = options.scenario ?? 'healthy'
  fleet.setScenario(scenario, startedAt)

  const counters = { sent: 0, acknowledged: 0, leftOut: 0 }
  const clients: MqttClient[] = []
  const agents = fleet.servers.map((server, index) => ({
    ...server,
    index,
    // Numbers go on where an earlier run of the same fleet left off.
    seq: Math.floor(startedAt / intervalMs),
  }))
  type Agent = (typeof agents)[number]

  const status = (state: 'online' | 'offline', reason: string): string =>
    JSON.stringify({ state, reason, at: now(), v: contractVersion })
  const greet = (client: MqttClient, { name, inventory }: Agent): void => {
    client.publish(topic(name, 'inventory'), JSON.stringify(inventory), { qos: 1, retain: true })
    client.publish(topic(name, 'status'), status('online', 'started'), { qos: 1, retain: true })
  }
  const connect = async (clientId: string, spoken: readonly Agent[]): Promise<MqttClient> => {
    const one = spoken.length === 1 ? spoken[0] : undefined
    const client = await connectAsync(hub, {
      clientId,
      reconnectPeriod: 2000,
      queueQoSZero: false,
      ...(one && !shared
        ? {
            will: {
              topic: topic(one.name, 'status'),
              payload: Buffer.from(status('offline', 'connection lost')),
              qos: 1 as const,
              retain: true,
            },
          }
        : {}),
    })
    client.on('error', () => {})
    client.on('message', () => counters.acknowledged++)
    await client.subscribeAsync(shared ? `${topicRoot}/+/ack` : topic(one!.name, 'ack'))
    for (const agent of spoken) greet(client, agent)
    client.on('connect', () => spoken.forEach((agent) => greet(client, agent)))
    clients.push(client)
    return client
  }

  const clientOf: MqttClient[] = []
  if (shared) {
    const client = await connect(`harbinger-fleet-${seed}`, agents)
    for (const { index } of agents) clientOf[index] = client
  } else {
    // A few at a time: a broker on a small machine greets a thousand connections in turn, not at once.
    for (let from = 0; from < agents.length; from += 50) {
      await Promise.all(
        agents.slice(from, from + 50).map(async (agent) => {
          clientOf[agent.index] = await connect(agent.name, [agent])
        }),
      )
    }
  }

  function say(agent: Agent): void {
    const client = clientOf[agent.index]!
    const at = now()
    const m = fleet.readingsAt(agent.index, lives(at))
    if (!m) return
    if (!client.connected) {
      counters.leftOut++
      return
    }
    const sample: Sample = { v: contractVersion, seq: agent.seq++, at, cores: agent.cores, m }
    client.publish(topic(agent.name, 'samples'), JSON.stringify(sample), { qos: 1 })
    counters.sent++
  }

  // Agents speak in turn over the interval, as ones that were started at different times do.
  const ticks = 20
  let tick = 0
  const timer = setInterval(() => {
    for (const agent of agents) if (agent.index % ticks === tick % ticks) say(agent)
    tick++
  }, intervalMs / ticks)
  for (const agent of agents) say(agent)

  return {
    counters: () => ({ ...counters }),
    scenario: () => scenario,
    setScenario(next: Scenario): void {
      scenario = next
      fleet.setScenario(next, lives(now()))
    },
    async close(): Promise<void> {
      clearInterval(timer)
      await Promise.all(
        agents.map(({ index, name }) =>
          clientOf[index]!.connected
            ? clientOf[index]!.publishAsync(
                topic(name, 'status'),
                status('offline', 'the simulation ended'),
                { qos: 1, retain: true },
              ).catch(() => {})
            : undefined,
        ),
      )
      await Promise.all(clients.map((client) => client.endAsync(true)))
    },
  }
}
