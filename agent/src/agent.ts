import type { IntervalInForce } from '@harbinger/shared/interval'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import { ownCost } from './own-cost.ts'
import { openPublisher } from './publish/publisher.ts'
import { openSequence } from './publish/sequence.ts'
import { openSpool } from './publish/spool.ts'
import type { Machine } from './sample/machine.ts'
import { openSchedule, phaseOf } from './schedule.ts'
import { type AgentStatus, openStatusFile } from './status-file.ts'

export type Agent = Awaited<ReturnType<typeof openAgent>>

/** The machine the agent runs on; which module reads it is decided here, so that only that one is loaded. */
export async function openMachine(config: Config, clock: Clock, log: Log): Promise<Machine> {
  if (process.platform === 'linux') {
    const { linuxMachine } = await import('./sample/machine.ts')
    return linuxMachine({ ...config, clock, log })
  }
  const { otherMachine } = await import('./sample/other-systems.ts')
  return otherMachine({ ...config, platform: process.platform, clock, log })
}

/** Loaded by an agent that has joined alone. */
async function openRenewalOf(
  { server, renewalUrl, identityFile, caFile }: Config,
  parts: { clock: Clock; log: Log; onRenewed: () => Promise<void> },
) {
  if (renewalUrl === undefined || identityFile === undefined) return undefined
  const { openRenewal } = await import('./join/renewal.ts')
  return openRenewal({
    ...{ server, renewalUrl, identityFile, caFile, phase: phaseOf(server) / 2 ** 32 },
    ...{ clock: parts.clock, log: parts.log },
    onRenewed: () => void parts.onRenewed(),
  })
}

/** The agent, in the order the data travels: sample, then publish. */
export async function openAgent(config: Config, clock: Clock, log: Log) {
  const startedAt = clock.now()
  const machine = await openMachine(config, clock, log)
  const spool = openSpool(config.stateDirectory, {
    maxBytes: config.spoolMegabytes * 1e6,
    maxAgeMs: config.spoolDays * 86_400_000,
    maxInMemory: config.spoolMemorySamples,
    clock,
    log,
  })
  const sequence = openSequence(config.stateDirectory, {
    now: clock.now,
    lastSpooled: spool.last(),
    onUnsafe: (reason) =>
      log.error({ reason }, 'sequence numbers are not kept: check the state directory'),
  })
  const cpuMicros = () => {
    const { user, system } = process.cpuUsage()
    return user + system
  }
  const cost = ownCost({
    clock,
    cpuMicros,
    rssBytes: () => process.memoryUsage.rss(),
    spool: spool.state,
  })
  const own = config.intervalSeconds
  let interval: IntervalInForce = { seconds: own, own, from: 'own' }
  /** The hub may ask for an interval before everything that follows it is open. */
  let followInterval = () => {}

  // Rates need a reading to be compared with; this one is thrown away, and it finds the file system to watch.
  await machine.sampler.takeSample(0)

  const inventory = machine.inventory()
  const publisher = await openPublisher({
    server: config.server,
    hubUrl: config.hub,
    credentials: config,
    spool,
    nextSeq: sequence.peek,
    inventory: () => ({ ...inventory, interval }),
    clock,
    log,
    onInterval(asked) {
      const before = interval
      interval = { seconds: asked ?? own, own, from: asked === null ? 'own' : 'hub' }
      if (interval.seconds === before.seconds && interval.from === before.from) return
      const change = { from: before.seconds, to: interval.seconds }
      if (asked === null) log.info(change, 'the hub asks for no interval; own configuration')
      else log.info(change, 'the hub asks for an interval')
      followInterval()
    },
  })

  const renewal = await openRenewalOf(config, { clock, log, onRenewed: publisher.connectAnew })

  let isSampling = false
  async function sampleOnce() {
    // A reading that takes longer than the interval (a dying disk) must not pile up behind itself.
    if (isSampling) return
    isSampling = true
    const sample = await machine.sampler.takeSample(0)
    // Numbered when it is there, so that no number is on its way when the hub is told of the next one.
    publisher.publish({
      ...sample,
      seq: sequence.next(),
      m: { ...sample.m, ...cost.readings() },
    })
    isSampling = false
    statusFile.keep(status('running'))
  }

  const schedule = openSchedule({
    clock,
    intervalMs: interval.seconds * 1000,
    phase: phaseOf(config.server),
    onDue: () => void sampleOnce(),
  })

  const status = (state: AgentStatus['state']): AgentStatus => {
    const { connected, lastAck, lastFailure, spool } = publisher.state()
    return {
      state,
      pid: process.pid,
      server: config.server,
      hub: config.hub,
      startedAt,
      at: clock.now(),
      intervalSeconds: interval.seconds,
      ownIntervalSeconds: own,
      intervalFrom: interval.from,
      connected,
      lastFailure: lastFailure ?? null,
      lastAck: lastAck ?? null,
      spool: { ...spool, problem: spool.problem ?? null },
      cost: { rssBytes: process.memoryUsage.rss(), cpuSeconds: cpuMicros() / 1e6 },
    }
  }
  const statusFile = openStatusFile(config.statusDirectory ?? config.stateDirectory, {
    onFailure: (reason) => log.warn({ reason }, 'the status file cannot be written'),
  })
  followInterval = () => {
    schedule.setInterval(interval.seconds * 1000)
    statusFile.keep(status('running'))
  }
  followInterval()
  log.info(
    { server: config.server, hub: config.hub, intervalSeconds: interval.seconds },
    'agent started',
  )

  return {
    status,
    async close() {
      schedule.close()
      renewal?.close()
      await publisher.close()
      await spool.close()
      sequence.close()
      statusFile.close(status('stopped'))
    },
  }
}
