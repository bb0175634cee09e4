import {
  decideProfile,
  isProfile,
  type Profile,
  type ProfileRule,
  type ProfileSource,
} from '@harbinger/shared/profiles'
import type { Readings } from '@harbinger/shared/metrics'
import type { Inventory, Status } from '@harbinger/shared/sample'
import { serverId, serverKey } from '@harbinger/shared/server'
import type { Database } from './database.ts'
import { type SlowerUntil, slowerUntil } from './interval-in-force.ts'
import { toReadings } from './sample-store.ts'

/** When and why a server left the fleet. */
export type Retirement = {
  readonly at: number
  readonly by: string
  readonly reason: string
}

/** A server as the hub knows it. One object per server for as long as the hub runs; its fields change. */
export type Server = {
  readonly id: number
  readonly name: string
  profile: Profile
  profileSource: ProfileSource
  simulated: boolean
  tags: readonly string[]
  cores: number | undefined
  inventory: Inventory | undefined
  status: 'online' | 'offline' | 'unknown'
  statusReason: string | undefined
  /** When it said so; of what was said before this hub started, about when it was last heard. */
  statusAt: number
  unknownReadings: number
  readonly firstSeen: number
  /** Goes up when an agent lost its numbering and began anew; (run, seq) names a sample. */
  run: number
  /** Every sample of this run up to and including this one is stored or quarantined; −1 before the first. */
  decidedUpTo: number
  /** The newest place on the time axis; −1 before the first sample. */
  newestAt: number
  lastArrivedAt: number
  /** Arrival minus the agent's clock at the newest live sample. */
  skewMs: number | undefined
  /** Between the last few samples on the time axis; one that lacks among them does not count. */
  gaps: readonly number[]
  slowerUntil: SlowerUntil
  /** It left the fleet; undefined: it is in it. */
  retired: Retirement | undefined
  /** When an operator took it back into the fleet last. */
  broughtBackAt: number | undefined
  /** What the newest sample says. */
  latest: { readonly at: number; readonly readings: Readings } | undefined
}

const gapsKept = 5

/** One more gap between two samples. */
export function addGap(server: Server, gapMs: number): void {
  server.gaps = [...server.gaps.slice(1 - gapsKept), gapMs]
}

export type ServerStore = ReturnType<typeof serverStore>

/** Every server that ever spoke, by name without regard to case; the table is the truth about ids. */
export function serverStore(db: Database, profileRules: readonly ProfileRule[] = []) {
  const select = db.prepare<[], Row>(
    'SELECT * FROM servers LEFT JOIN progress ON server_id = id ORDER BY key',
  )
  const selectOne = db.prepare<[number], Row>(
    'SELECT * FROM servers LEFT JOIN progress ON server_id = id WHERE id = ?',
  )
  const insert = db.prepare('INSERT INTO servers (id, name, key, first_seen) VALUES (?, ?, ?, ?)')
  const saveInventory = db.prepare(
    `UPDATE servers SET inventory = ?, agent_profile = ?, simulated = ?, cores = COALESCE(?, cores)
     WHERE id = ?`,
  )
  const saveStatus = db.prepare('UPDATE servers SET status = ?, status_reason = ? WHERE id = ?')
  const saveCores = db.prepare('UPDATE servers SET cores = ? WHERE id = ?')
  const saveProfile = db.prepare('UPDATE servers SET operator_profile = ? WHERE id = ?')
  const saveAgentProfile = db.prepare('UPDATE servers SET agent_profile = ? WHERE id = ?')
  const saveUnknown = db.prepare('UPDATE servers SET unknown_readings = ? WHERE id = ?')
  const saveProgress = db.prepare(
    `INSERT INTO progress (server_id, run, decided_up_to, newest_at, last_arrived_at, skew_ms)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (server_id) DO UPDATE SET run = excluded.run, decided_up_to = excluded.decided_up_to,
       newest_at = excluded.newest_at, last_arrived_at = excluded.last_arrived_at, skew_ms = excluded.skew_ms`,
  )
  const saveRetired = db.prepare(
    'UPDATE servers SET retired_at = ?, retired_by = ?, retired_reason = ? WHERE id = ?',
  )
  const saveBroughtBack = db.prepare('UPDATE servers SET brought_back_at = ? WHERE id = ?')
  const selectLatest = db.prepare<[number], { at: number; readings: Buffer }>(
    `SELECT at, readings FROM samples WHERE server_id = ? ORDER BY at DESC LIMIT ${gapsKept + 1}`,
  )
  const byKey = new Map<string, Server>()
  const ids = new Set<number>()
  const operatorProfiles = new Map<number, Profile>()

  const profileOf = (name: string, operator?: string | null, agent?: string | null) => {
    const setByOperator = operator && isProfile(operator) ? operator : undefined
    const setByAgent = agent && isProfile(agent) ? agent : undefined
    return decideProfile(name, { setByOperator, setByAgent, operatorRules: profileRules })
  }

  const remember = (server: Server): Server => {
    byKey.set(serverKey(server.name), server)
    ids.add(server.id)
    return server
  }
  for (const row of select.all()) {
    const { profile, source } = profileOf(row.name, row.operator_profile, row.agent_profile)
    if (source === 'operator') operatorProfiles.set(row.id, profile)
    const server = remember(toServer(row, { profile, profileSource: source }))
    const [newest, ...before] = selectLatest.all(row.id)
    if (!newest) continue
    server.latest = { at: newest.at, readings: toReadings(newest.readings) }
    const times = [newest, ...before].map(({ at }) => at).reverse()
    server.gaps = times.slice(1).map((at, i) => at - times[i]!)
  }

  function* inFleet(): Iterable<Server> {
    for (const server of byKey.values()) if (!server.retired) yield server
  }

  return {
    /** The fleet: without who is retired. */
    all: inFleet,
    everyone: (): Iterable<Server> => byKey.values(),
    count: (): number => [...inFleet()].length,
    find: (name: string): Server | undefined => byKey.get(serverKey(name)),

    /** The server of this name, made known at its first word. */
    register(name: string, now: number): Server {
      const known = byKey.get(serverKey(name))
      if (known) return known
      const id = serverId(name, (taken) => ids.has(taken))
      insert.run(id, name, serverKey(name), now)
      const { profile, source } = profileOf(name)
      return remember({
        ...newServer,
        id,
        name,
        profile,
        profileSource: source,
        firstSeen: now,
      })
    },

    /** Takes back a registration whose transaction failed. */
    forget(server: Server): void {
      byKey.delete(serverKey(server.name))
      ids.delete(server.id)
    },

    /** `now` is when an agent said it; what is read from files changes no interval. */
    setInventory(server: Server, inventory: Inventory, now?: number): void {
      const { profile, source } = profileOf(
        server.name,
        operatorProfiles.get(server.id),
        inventory.profile,
      )
      const simulated = inventory.simulated ?? false
      saveInventory.run(
        JSON.stringify(inventory),
        inventory.profile ?? null,
        Number(simulated),
        inventory.cores ?? null,
        server.id,
      )
      Object.assign(server, {
        ...(now !== undefined && { slowerUntil: slowerUntil(server, inventory.interval, now) }),
        inventory,
        simulated,
        profile,
        profileSource: source,
        tags: inventory.tags ?? [],
        cores: inventory.cores ?? server.cores,
      })
    },

    setAgentProfile(server: Server, agentProfile: Profile): void {
      saveAgentProfile.run(agentProfile, server.id)
      const { profile, source } = profileOf(
        server.name,
        operatorProfiles.get(server.id),
        agentProfile,
      )
      server.profile = profile
      server.profileSource = source
    },

    setStatus(server: Server, said: Omit<Status, 'at' | 'v'>, at: number): void {
      const { state, reason } = said
      saveStatus.run(state, reason, server.id)
      server.status = state
      server.statusReason = reason
      server.statusAt = at
    },

    setCores(server: Server, cores: number): void {
      if (server.cores === cores) return
      saveCores.run(cores, server.id)
      server.cores = cores
    },

    setOperatorProfile(server: Server, profile: Profile): void {
      saveProfile.run(profile, server.id)
      operatorProfiles.set(server.id, profile)
      server.profile = profile
      server.profileSource = 'operator'
    },

    /** Takes a server out of the fleet; what was measured of it stays. */
    retire(server: Server, retired: Retirement): void {
      saveRetired.run(retired.at, retired.by, retired.reason, server.id)
      server.retired = retired
    },

    /** By an operator at `at`, or because it spoke. */
    bringBack(server: Server, at?: number): void {
      saveRetired.run(null, null, null, server.id)
      server.retired = undefined
      if (at === undefined) return
      saveBroughtBack.run(at, server.id)
      server.broughtBackAt = at
    },

    countUnknownReadings(server: Server, n: number): void {
      server.unknownReadings += n
      saveUnknown.run(server.unknownReadings, server.id)
    },

    saveProgress(server: Server): void {
      const { id, run, decidedUpTo, newestAt, lastArrivedAt, skewMs } = server
      saveProgress.run(id, run, decidedUpTo, newestAt, lastArrivedAt, skewMs ?? null)
    },

    /** Back to what the database says, after a transaction that did not happen. */
    reload(server: Server): void {
      const row = selectOne.get(server.id)
      if (!row) return
      const { profile, source } = profileOf(row.name, row.operator_profile, row.agent_profile)
      const { latest, gaps, slowerUntil, statusAt } = server
      Object.assign(server, toServer(row, { profile, profileSource: source }), {
        ...{ latest, gaps, slowerUntil, statusAt },
      })
    },
  }
}

type ProgressRow = {
  run: number | null
  decided_up_to: number | null
  newest_at: number | null
  last_arrived_at: number | null
  skew_ms: number | null
}

type Row = ProgressRow & {
  id: number
  name: string
  operator_profile: string | null
  agent_profile: string | null
  simulated: number
  cores: number | null
  inventory: string | null
  status: Server['status']
  status_reason: string | null
  unknown_readings: number
  first_seen: number
  retired_at: number | null
  retired_by: string | null
  retired_reason: string | null
  brought_back_at: number | null
}

const newServer = {
  simulated: false,
  tags: [],
  cores: undefined,
  inventory: undefined,
  status: 'unknown',
  statusReason: undefined,
  unknownReadings: 0,
  run: 0,
  decidedUpTo: -1,
  newestAt: -1,
  lastArrivedAt: -1,
  skewMs: undefined,
  statusAt: -1,
  gaps: [],
  slowerUntil: undefined,
  retired: undefined,
  broughtBackAt: undefined,
  latest: undefined,
} as const

const toProgress = (row: ProgressRow) => ({
  run: row.run ?? 0,
  decidedUpTo: row.decided_up_to ?? -1,
  newestAt: row.newest_at ?? -1,
  lastArrivedAt: row.last_arrived_at ?? -1,
  skewMs: row.skew_ms ?? undefined,
})

function toServer(row: Row, decided: Pick<Server, 'profile' | 'profileSource'>): Server {
  const inventory = row.inventory === null ? undefined : (JSON.parse(row.inventory) as Inventory)
  return {
    id: row.id,
    name: row.name,
    ...decided,
    simulated: row.simulated === 1,
    tags: inventory?.tags ?? [],
    cores: row.cores ?? undefined,
    inventory,
    status: row.status,
    statusReason: row.status_reason ?? undefined,
    unknownReadings: row.unknown_readings,
    firstSeen: row.first_seen,
    ...toProgress(row),
    statusAt: row.last_arrived_at ?? -1,
    gaps: [],
    slowerUntil: undefined,
    retired: toRetirement(row),
    broughtBackAt: row.brought_back_at ?? undefined,
    latest: undefined,
  }
}

const toRetirement = ({ retired_at: at, retired_by, retired_reason }: Row) =>
  at === null ? undefined : { at, by: retired_by ?? '', reason: retired_reason ?? '' }
