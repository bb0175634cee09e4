import { connectAsync, type MqttClient } from 'mqtt'
import { type Scenario, simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import { readAgentConfig } from '@harbinger/shared/interval'
import type { Sample } from '@harbinger/shared/sample'
import { readTopic, topic, topicRoot } from '@harbinger/shared/topics'
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
    intervalMs,
    isAsked: false,
    dueAt: 0,
  }))
  type Agent = (typeof agents)[number]
  const agentOf = new Map(agents.map((agent) => [agent.name, agent]))

  const status = (state: 'online' | 'offline', reason: string): string =>
    JSON.stringify({ state, reason, at: now(), v: contractVersion })
  const tellInventory = (client: MqttClient, agent: Agent): void => {
    // A fleet that lives faster may sample more often than agents can.
    const own = Math.max(1, Math.round(intervalMs / 1000))
    const seconds = Math.max(1, Math.round(agent.intervalMs / 1000))
    const from = agent.isAsked ? 'hub' : 'own'
    const inventory = { ...agent.inventory, interval: { seconds, own, from } }
    client.publish(topic(agent.name, 'inventory'), JSON.stringify(inventory), {
      ...{ qos: 1, retain: true },
    })
  }
  const askInterval = (agent: Agent, seconds: number | null): void => {
    agent.isAsked = seconds !== null
    agent.intervalMs = seconds === null ? intervalMs : seconds * 1000
    agent.dueAt = Math.min(agent.dueAt, now() + agent.intervalMs)
  }
  /** Does what the hub asks of a server, as agents do. */
  const hear = (client: MqttClient, name: string, payload: string): void => {
    const read = readTopic(name)
    if (read?.kind !== 'config') return void counters.acknowledged++
    const agent = agentOf.get(read.server)
    const asked = readAgentConfig(payload)
    if (!agent || 'rejected' in asked) return
    askInterval(agent, asked.seconds)
    tellInventory(client, agent)
  }
  const greet = (client: MqttClient, agent: Agent): void => {
    const { name } = agent
    // What is still asked of it comes with the subscription.
    askInterval(agent, null)
    tellInventory(client, agent)
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
    client.on('message', (name, payload) => hear(client, name, payload.toString('utf8')))
    for (const agent of spoken) greet(client, agent)
    for (const kind of ['ack', 'config'] as const) {
      await client.subscribeAsync(shared ? `${topicRoot}/+/${kind}` : topic(one!.name, kind))
    }
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
  const tickMs = intervalMs / ticks
  const timer = setInterval(() => {
    const at = now()
    for (const agent of agents) {
      if (agent.dueAt > at) continue
      // In its turn also after a tick that came late; what was slept through is left out.
      const late = Math.floor((at - agent.dueAt) / agent.intervalMs)
      agent.dueAt += (late + 1) * agent.intervalMs
      say(agent)
    }
  }, tickMs)
  const begunAt = now()
  for (const agent of agents) {
    say(agent)
    agent.dueAt = begunAt + (1 + (agent.index % ticks)) * tickMs
  }

  return {
    names: agents.map(({ name }) => name),
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
