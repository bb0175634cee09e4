import type { Readings } from '@harbinger/shared/metrics'
import {
  type AgentReadings,
  type Inventory,
  maxClockSkewMs,
  type Sample,
  type Status,
} from '@harbinger/shared/sample'
import {
  addSample,
  emptySeries,
  minuteOf,
  type Rollup,
  setMinute,
} from '@harbinger/shared/window/series'
import type { AgentCostStore } from './agent-cost-store.ts'
import type { Database } from './database.ts'
import { decidedSeqs } from './decided.ts'
import type { QuarantineStore } from './quarantine-store.ts'
import { defaultRetention } from './retention.ts'
import type { RollupStore } from './rollup-store.ts'
import { placedByArrival, type SampleStore } from './sample-store.ts'
import { addGap, type Server, type ServerStore } from './server-store.ts'

/** One message of an agent after it was read, ready to be kept. */
export type Message = { readonly server: string; readonly arrivedAt: number } & (
  | {
      readonly kind: 'samples'
      readonly samples: readonly Sample[]
      readonly refused: readonly Refusal[]
      readonly unknownReadings: number
      /** Late by intention: placed by the agent's clock however old. */
      readonly catchUp: boolean
      /** The first samples of a connection. */
      readonly first: boolean
      /**
       * Whether the order of messages says what will never come: the first samples of a connection, and each backlog,
       * are then the oldest that the agent still keeps. Not so where the agent says it itself (Status.oldest), or
       * where a broker between may drop messages.
       */
      readonly inOrder: boolean
      /** What the agent says of itself, the newest of this message. */
      readonly agent?: AgentReadings | undefined
    }
  | {
      readonly kind: 'status'
      readonly status: Status
      /** Said before the hub listened, and kept by the broker. */
      readonly retained: boolean
    }
  | { readonly kind: 'inventory'; readonly inventory: Inventory }
  | { readonly kind: 'refused'; readonly refused: readonly Refusal[] }
)

export type Refusal = {
  readonly reason: string
  readonly detail: string
  /** Where the number could be read, the sample counts as decided. */
  readonly seq?: number | undefined
}

/** What the live window does while samples are kept. */
export type LiveWindow = {
  /** False when the sample is older than memory reaches. */
  readonly add: (serverId: number, at: number, readings: Readings) => boolean
  readonly minute: (serverId: number, minute: number) => Rollup | undefined
  readonly markQuarter: (serverId: number, minute: number) => void
  readonly reload: (serverId: number) => void
}

/** What became of one group of messages. */
export type Kept = {
  readonly upTo: ReadonlyMap<string, number>
  readonly servers: ReadonlySet<Server>
  /** Retired ones that spoke: they are in the fleet again. */
  readonly returned: ReadonlySet<Server>
  readonly stored: number
  readonly duplicates: number
  readonly quarantined: number
}

export type Stores = {
  readonly db: Database
  readonly servers: ServerStore
  readonly samples: SampleStore
  readonly rollups: RollupStore
  readonly quarantine: QuarantineStore
  readonly agentCosts: AgentCostStore
}

/**
 * Keeps a group of messages in one transaction: samples, the minutes they change, progress, quarantine. Throws when
 * storage fails; then nothing of the group is kept, in memory or on disk.
 */
export function messageKeeper(
  { db, servers, samples, rollups, quarantine, agentCosts }: Stores,
  window: LiveWindow,
) {
  const decided = decidedSeqs()
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')

  return (group: readonly Message[]): Kept => {
    const touched = new Set<Server>()
    const returned = new Set<Server>()
    const registered: Server[] = []
    const dirty = new Map<number, Set<number>>()
    const refused = new Map<Server, Refusal[]>()
    const upTo = new Map<string, number>()
    /** Answered although nothing is decided, so that their agents say where their samples begin. */
    const unsure = new Set<string>()
    let stored = 0
    let duplicates = 0

    const known = (name: string, now: number): Server => {
      const found = servers.find(name)
      if (found) return found
      const server = servers.register(name, now)
      registered.push(server)
      return server
    }

    const now = group.at(-1)?.arrivedAt ?? 0

    /** Until it is known where a numbering begins, no number of it can follow another. */
    const decide = (server: Server, seq: number): void => {
      if (server.decidedUpTo >= 0 || seq === 0) decided.add(server, seq)
    }

    const keepSample = (server: Server, sample: Sample, message: Message & { kind: 'samples' }) => {
      const skewed = !message.catchUp && message.arrivedAt - sample.at > maxClockSkewMs
      const at = skewed ? message.arrivedAt : sample.at
      if (decided.has(server, sample.seq) && wasStored(server, { ...sample, at, skewed })) {
        duplicates++
        return
      }
      const isNew = samples.add({
        serverId: server.id,
        at,
        run: server.run,
        seq: sample.seq,
        arrivedAt: message.arrivedAt,
        flags: skewed ? placedByArrival : 0,
        cores: sample.cores,
        readings: sample.m,
      })
      decide(server, sample.seq)
      if (!isNew) {
        duplicates++
        return
      }
      stored++
      if (sample.cores !== undefined) servers.setCores(server, sample.cores)
      if (at > server.newestAt) {
        if (!message.catchUp && server.newestAt > 0) {
          addGap(server, Math.min(longestIntervalMs, at - server.newestAt))
        }
        server.newestAt = at
        server.latest = { at, readings: sample.m }
      }
      const minute = minuteOf(at)
      if (window.add(server.id, at, sample.m)) {
        const minutes = dirty.get(server.id)
        if (minutes) minutes.add(minute)
        else dirty.set(server.id, new Set([minute]))
      } else mergeIntoStored(rollups, { serverId: server.id, at, readings: sample.m })
      window.markQuarter(server.id, minute)
    }

    /**
     * Whether a sample with a decided number is really there. A live sample may overtake the backlog of its own
     * connection; then the numbers before it count as never coming, and still come.
     */
    const wasStored = (
      server: Server,
      { at, seq, skewed }: { at: number; seq: number; skewed: boolean },
    ): boolean => {
      const { id, run } = server
      if (skewed || decided.isBeyond(server, seq) || samples.has(id, { at, run, seq })) return true
      if (samples.hasSeq(id, { run, seq })) return true
      // Retention has let the sample go, but not its minute.
      return at < now - rawMs && rollups.minute(id, minuteOf(at)) !== undefined
    }

    const keepSamples = (server: Server, message: Message & { kind: 'samples' }): void => {
      const seqs = [...message.samples, ...message.refused].flatMap(({ seq }) => seq ?? [])
      if (seqs.length === 0) return
      const firstSeq = seqs.reduce((low, seq) => Math.min(low, seq))
      const [oldest] = message.samples
      // An agent that lost its memory counts from the start again; its samples are new, their numbers are not.
      if (
        message.first &&
        firstSeq <= server.decidedUpTo &&
        oldest &&
        oldest.at > server.newestAt
      ) {
        server.run++
        server.decidedUpTo = firstSeq - 1
        decided.forgetBeyond(server)
      }
      if (message.inOrder && (message.first || message.catchUp)) decided.startAt(server, firstSeq)
      for (const sample of message.samples) keepSample(server, sample, message)
      for (const { seq } of message.refused) if (seq !== undefined) decide(server, seq)
      server.lastArrivedAt = message.arrivedAt
      const newest = message.samples.at(-1)
      if (newest && !message.catchUp) server.skewMs = message.arrivedAt - newest.at
      upTo.set(message.server, -1)
      if (!message.inOrder) unsure.add(message.server)
    }

    begin.run()
    try {
      for (const message of group) {
        const server = known(message.server, message.arrivedAt)
        touched.add(server)
        if (server.retired && isOfNow(message)) {
          servers.bringBack(server)
          returned.add(server)
        }
        if (message.kind === 'status') {
          // What a broker kept was said at some time before; the last samples are the best guess.
          const before = message.retained && message.status.state === 'offline'
          const at = before && server.lastArrivedAt >= 0 ? server.lastArrivedAt : message.arrivedAt
          servers.setStatus(server, message.status, at)
          if (message.status.oldest !== undefined && message.status.oldest > server.decidedUpTo) {
            decided.startAt(server, message.status.oldest)
            upTo.set(message.server, -1)
          }
        } else if (message.kind === 'inventory') {
          servers.setInventory(server, message.inventory, message.arrivedAt)
        } else {
          if (message.kind === 'samples') {
            keepSamples(server, message)
            if (message.agent) agentCosts.keep(server.id, message.arrivedAt, message.agent)
            if (message.unknownReadings > 0) {
              servers.countUnknownReadings(server, message.unknownReadings)
            }
          }
          if (message.refused.length > 0) {
            refused.set(server, [...(refused.get(server) ?? []), ...message.refused])
          }
        }
      }
      for (const [serverId, minutes] of dirty) {
        for (const minute of minutes) {
          const rollup = window.minute(serverId, minute)
          if (rollup) rollups.putMinute(serverId, minute, rollup)
        }
      }
      for (const [server, refusals] of refused) {
        keepRefusals(quarantine, server, { refusals, at: now })
      }
      for (const name of upTo.keys()) {
        const server = servers.find(name)!
        servers.saveProgress(server)
        upTo.set(name, server.decidedUpTo)
      }
      commit.run()
    } catch (error) {
      if (db.inTransaction) rollback.run()
      samples.forgetAsked()
      for (const server of registered) servers.forget(server)
      for (const server of touched) {
        if (registered.includes(server)) continue
        servers.reload(server)
        decided.forgetBeyond(server)
        window.reload(server.id)
      }
      throw error
    }
    for (const [name, seq] of upTo) {
      if (seq >= 0) continue
      if (unsure.has(name)) upTo.set(name, 0)
      else upTo.delete(name)
    }
    const quarantined = [...refused.values()].reduce((sum, list) => sum + list.length, 0)
    return { upTo, servers: touched, returned, stored, duplicates, quarantined }
  }
}

/** Whether an agent said it now, and will go on speaking. */
const isOfNow = (message: Message): boolean =>
  message.kind === 'samples' ||
  (message.kind === 'status' && message.status.state === 'online' && !message.retained)

/** A sample older than the live window corrects its minute where it is stored. */
function mergeIntoStored(
  rollups: RollupStore,
  { serverId, at, readings }: { serverId: number; at: number; readings: Readings },
): void {
  const minute = minuteOf(at)
  const series = emptySeries({ minutes: 1, quarters: 1 })
  const stored = rollups.minute(serverId, minute)
  if (stored) setMinute(series, minute, stored)
  addSample(series, at, readings)
  rollups.putMinute(serverId, minute, series)
}

const rawMs = defaultRetention.rawDays * 86_400_000
/** Agents may be told to sample every 300 s, not less often. */
const longestIntervalMs = 300_000

const keptPerGroup = 20

/** Counts every refusal, and keeps the detail of so few that a flood of nonsense costs little. */
function keepRefusals(
  quarantine: QuarantineStore,
  server: Server,
  { refusals, at }: { refusals: readonly Refusal[]; at: number },
): void {
  const counts = new Map<string, number>()
  for (const { reason } of refusals) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  for (const [reason, n] of counts) quarantine.count(server.id, reason, n)
  for (const { reason, detail } of refusals.slice(-keptPerGroup)) {
    quarantine.keep(server.id, { at, reason, detail })
  }
}
