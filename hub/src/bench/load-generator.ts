import { connectAsync } from 'mqtt'
import { topic } from '@harbinger/shared/topics'

/**
 * A process of its own that sends samples of many servers as fast as they are acknowledged, over a few connections.
 * Arguments: broker URL, servers, samples of each.
 */
const [url = '', servers = '100', each = '10'] = process.argv.slice(2)
const connections = 8
/** Samples under way on one connection: as many agents that send at the same moment. */
const window = 100

const began = Date.now()
const perConnection = Math.ceil(Number(servers) / connections)
const clients = await Promise.all(
  Array.from({ length: connections }, (_, i) =>
    connectAsync(url, { clientId: `harbinger-fleet-load-${i}`, reconnectPeriod: 0 }),
  ),
)

async function send(connection: number): Promise<number> {
  const client = clients[connection]!
  const first = connection * perConnection
  const last = Math.min(Number(servers), first + perConnection)
  let sent = 0
  let under: Promise<unknown>[] = []
  for (let seq = 1; seq <= Number(each); seq++) {
    for (let i = first; i < last; i++) {
      under.push(client.publishAsync(topic(`load${i}`, 'samples'), sampleOf(i, seq), { qos: 1 }))
      sent++
      if (under.length < window) continue
      await Promise.all(under)
      under = []
    }
  }
  await Promise.all(under)
  return sent
}

function sampleOf(server: number, seq: number): string {
  const user = 10 + ((server * 7 + seq * 3) % 50)
  return JSON.stringify({
    v: '1.0.0',
    seq,
    // Spread over the last minutes, as samples of 10 s are.
    at: began - (Number(each) - seq) * 1000,
    cores: 16,
    m: {
      cpu_user_pct: user,
      cpu_sys_pct: 5,
      cpu_iowait_pct: 1,
      cpu_idle_pct: 94 - user,
      java_cpu_pct: 3.2,
      mem_used_pct: 55.1,
      swap_used_pct: 0,
      disk_usage_pct: 41.7,
      net_in_mb_s: 12.25,
      net_out_mb_s: 8.5,
      back_close_wait: 2,
      front_close_wait: 3,
      load_average: 4.25,
      uptime_days: 31.5,
    },
  })
}

const start = performance.now()
const counts = await Promise.all(clients.map((_, i) => send(i)))
const ms = performance.now() - start
process.send?.({ sent: counts.reduce((a, b) => a + b, 0), ms })
await Promise.all(clients.map((client) => client.endAsync()))
process.disconnect?.()
