import { mkdirSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fleet } from '@harbinger/shared/api'
import { productVersion } from '@harbinger/shared/version'
import { joinHub } from '../../agent/src/join/join.ts'
import { silentLog } from '../../agent/src/log.ts'
import { openPublisher, type Publisher } from '../../agent/src/publish/publisher.ts'
import { openSpool, type Spool } from '../../agent/src/publish/spool.ts'
import { openSecureHub, until } from '../enrolment/secure-hub.ts'
import type { Figure } from './figures.ts'

const metrics = { cpu_user_pct: 20, cpu_sys_pct: 5, cpu_iowait_pct: 5, cpu_idle_pct: 70 }

/**
 * Agents with certificates of their own, all in this process, each with its own spool and connection, and a hub that is
 * killed and started again: how long until all are back, whether any is called offline, and whether a sample lacks.
 */
export async function benchReconnect({
  small,
  at,
}: {
  readonly small: boolean
  readonly at: string
}): Promise<Figure[]> {
  const count = small ? 12 : 1_000
  const intervalMs = 10_000
  const hub = await openSecureHub()
  const agents: { publisher: Publisher; spool: Spool; seq: number }[] = []
  const timers = new Set<ReturnType<typeof setInterval>>()
  const clock = {
    now: Date.now,
    monotonicMs: () => performance.now(),
    after(delayMs: number, callback: () => void) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
  try {
    const [, address, , token, , caSha256] = (await hub.token({ uses: count })).line
      .split(' ')
      .slice(1)
    const joiningBegan = performance.now()
    for (let i = 0; i < count; i++) {
      const server = `web${i}`
      const folder = join(hub.folder, server)
      mkdirSync(folder)
      await joinHub({
        ...{ hub: address!, token: token!, caSha256, configFile: join(folder, 'agent.yaml') },
        config: { server, stateDirectory: folder },
      })
      const options = { maxBytes: 1e6, maxAgeMs: 86_400_000, maxInMemory: 100 }
      const spool = openSpool(folder, { ...options, clock, log: silentLog })
      const agent = { spool, seq: 0 } as (typeof agents)[number]
      agent.publisher = await openPublisher({
        ...{ server, hubUrl: `mqtts://localhost:${hub.mqttPort}`, clock, log: silentLog, spool },
        credentials: {
          caFile: join(folder, 'tls/ca.pem'),
          identityFile: hub.identityFile(server),
        },
        nextSeq: () => agent.seq + 1,
        inventory: () => ({ agentVersion: productVersion, cores: 2 }),
        onInterval() {},
      })
      agents.push(agent)
      const sample = () =>
        agent.publisher.publish({
          ...{ v: '1.0', seq: ++agent.seq, at: Date.now(), cores: 2, m: metrics },
        })
      sample()
      timers.add(setInterval(sample, intervalMs))
    }
    const joined = (performance.now() - joiningBegan) / 1000
    const presence = async () => (await hub.ask<Fleet>('/fleet')).body.byPresence
    await until('all are heard', async () => (await presence()).heard === count, 120_000)

    await hub.kill()
    await pause(small ? 500 : 5_000)
    await hub.startAgain()
    const began = performance.now()
    let back: number | undefined
    let mostOffline = 0
    // Longer than the time that the hub gives everybody, so that whoever is called offline is seen.
    while (back === undefined || performance.now() - began < (small ? 1_000 : 120_000)) {
      const seen = await presence()
      mostOffline = Math.max(mostOffline, seen.offline)
      const isBack = agents.every(({ publisher }) => publisher.state().connected)
      if (isBack) back ??= (performance.now() - began) / 1000
      if (performance.now() - began > 300_000) throw new Error('not all came back in 300 s')
      await pause(250)
    }
    for (const timer of timers) clearInterval(timer)
    const waiting = () => agents.reduce((sum, { spool }) => sum + spool.state().samples, 0)
    await until('every sample is acknowledged', () => waiting() === 0, 120_000)

    const conditions = {
      ...{ cores: availableParallelism(), device: cpus()[0]?.model ?? 'unknown' },
      ...{ node: process.version, versions: { harbinger: productVersion }, at, small },
      ...{ agents: count, intervalMs, samples: agents.reduce((sum, { seq }) => sum + seq, 0) },
      joinedInSeconds: Number(joined.toPrecision(3)),
    }
    return [
      {
        ...{ name: `${count} agents over TLS, all back after a kill −9 of the hub` },
        ...{
          figure: Number(back.toPrecision(3)),
          unit: 's',
          bar: '≤ 90',
          ok: back <= 90,
          conditions,
        },
      },
      {
        ...{ name: `${count} agents over TLS, called offline meanwhile` },
        ...{ figure: mostOffline, unit: 'servers', bar: '≤ 0', ok: mostOffline === 0, conditions },
      },
    ]
  } finally {
    for (const timer of timers) clearInterval(timer)
    await Promise.all(agents.map(({ publisher }) => publisher.close()))
    await hub.close()
  }
}
