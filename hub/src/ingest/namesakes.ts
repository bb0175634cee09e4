import { serverKey } from '@harbinger/shared/server'

/** One agent process, by what it made up for itself when it started. */
export type Instance = { readonly id: string; readonly address: string | null }

/** An agent beside the one that is kept. */
export type Other = Instance & {
  readonly since: number
  readonly lastAt: number
  /** Connections refused; behind a broker, messages. */
  readonly refused: number
}

/** Two live agents of one name. */
export type NameConflict = {
  readonly since: number
  readonly kept: Instance & { readonly since: number }
  readonly others: readonly Other[]
}

type Kept = Instance & { since: number; heardAt: number }
type Name = {
  kept: Kept
  /** Whom `kept` followed: should it come back, both are alive. */
  before: (Kept & { readonly until: number }) | undefined
  /** Came while `kept` was connected: a second agent, or the first one after a crash that the network hides. */
  challengers: Map<string, Other>
  conflict: { readonly since: number; readonly others: Map<string, Other> } | undefined
  /** Whose words arrive now; behind a broker alone. */
  speaker: string
}

type Options = {
  readonly now: () => number
  /** Conflicts that were open when the hub stopped. */
  readonly open?: ReadonlyMap<string, NameConflict>
  /** A conflict began, changed or (undefined) is over. */
  readonly onConflict?: (key: string, conflict: NameConflict | undefined) => void
}

export type Namesakes = ReturnType<typeof namesakes>

/** A word so long after another agent came is no leftover of a dead connection. */
const provesMs = 2_000
/** In a conflict the name is kept for its agent for so long: it may be restarted. */
const reservedMs = 2 * 60_000
/** Agents that are refused try again every 30 s; who has not for so long is gone. */
const goneMs = 2 * 60_000
const mostOthers = 8

/**
 * Tells agents of one name apart. The first one that lives keeps the name; a second one is not let in, so that nothing
 * of it is mixed into the other's series, and it keeps what it measures until it has a name of its own.
 */
export function namesakes({ now, open, onConflict = () => {} }: Options) {
  const names = new Map<string, Name>()
  for (const [key, { since, kept, others }] of open ?? []) {
    const seenNow = others.map((other) => [other.id, { ...other, lastAt: now() }] as const)
    names.set(key, {
      ...newName({ ...kept, heardAt: now() }),
      conflict: { since, others: new Map(seenNow) },
    })
  }

  const conflictOf = (key: string): NameConflict | undefined => {
    const name = names.get(key)
    if (!name?.conflict) return undefined
    const { since, others } = name.conflict
    for (const [id, { lastAt }] of others) if (now() - lastAt > goneMs) others.delete(id)
    if (others.size === 0) {
      name.conflict = undefined
      onConflict(key, undefined)
      return undefined
    }
    const { id, address, since: keptSince } = name.kept
    return { since, kept: { id, address, since: keptSince }, others: [...others.values()] }
  }

  function prove(key: string, name: Name, others: Iterable<Other>): void {
    const first = [...others][0]
    if (!first) return
    name.conflict ??= { since: first.since, others: new Map() }
    for (const other of others) {
      if (name.conflict.others.size < mostOthers) name.conflict.others.set(other.id, other)
    }
    onConflict(key, conflictOf(key))
  }

  const seen = (map: Map<string, Other>, { id, address }: Instance): Other => {
    const known = map.get(id)
    const other: Other = {
      ...{ id, address, since: known?.since ?? now(), lastAt: now() },
      refused: (known?.refused ?? 0) + 1,
    }
    if (known || map.size < mostOthers) map.set(id, other)
    return other
  }

  /** Whether this agent is kept from now on; false when it is a second one. */
  function comes(key: string, instance: Instance, isConnected: boolean): boolean {
    const name = names.get(key)
    if (!name) {
      names.set(key, newName({ ...instance, since: now(), heardAt: now() }))
      return true
    }
    const { kept, before, conflict } = name
    if (kept.id === instance.id) {
      name.kept = { ...kept, address: instance.address, heardAt: now() }
      return true
    }
    if (before?.id === instance.id && now() < before.until) {
      // The one that was there first is back, so the one that followed it is another.
      name.kept = { ...before, address: instance.address, heardAt: now() }
      name.before = undefined
      const { id, address, since } = kept
      prove(key, name, [{ id, address, since, lastAt: now(), refused: 0 }])
      return true
    }
    if (conflictOf(key) && conflict?.others.has(instance.id)) {
      if (isConnected || now() - kept.heardAt < reservedMs) {
        seen(conflict.others, instance)
        return false
      }
      conflict.others.delete(instance.id)
    } else if (isConnected) {
      seen(name.challengers, instance)
      return false
    }
    name.before = { ...kept, until: now() + reservedMs }
    name.kept = { ...instance, since: now(), heardAt: now() }
    name.challengers.clear()
    return true
  }

  return {
    /** An agent asks to be let in; `isConnected`: another connection of its name is open. */
    mayConnect: (server: string, instance: Instance, isConnected: boolean): boolean =>
      comes(serverKey(server), instance, isConnected),

    /** A word of the agent that is connected: it lives, so whoever came in the meantime is another. */
    heard(server: string): void {
      const key = serverKey(server)
      const name = names.get(key)
      if (!name) return
      name.kept.heardAt = now()
      if (name.challengers.size === 0) return
      const others = [...name.challengers.values()].filter(({ since }) => now() - since >= provesMs)
      for (const { id } of others) name.challengers.delete(id)
      prove(key, name, others)
    },

    /** The connection of a server ended: whoever came in the meantime may be the same agent, started anew. */
    ended(server: string): void {
      names.get(serverKey(server))?.challengers.clear()
    },

    /** Behind a broker, where the last one that connects is the one that speaks. */
    speaks(server: string, id: string): void {
      const key = serverKey(server)
      comes(key, { id, address: null }, false)
      const name = names.get(key)
      if (name) name.speaker = id
    },
    /** Behind a broker: whether what arrives now is of the agent that is kept; if not, it is counted. */
    isKept(server: string): boolean {
      const name = names.get(serverKey(server))
      if (!name?.conflict || name.speaker === '' || name.speaker === name.kept.id) return true
      const other = name.conflict.others.get(name.speaker)
      if (other) seen(name.conflict.others, other)
      return other === undefined
    },

    conflict: (server: string): NameConflict | undefined => conflictOf(serverKey(server)),
  }
}

const newName = (kept: Kept): Name => ({
  kept,
  before: undefined,
  challengers: new Map(),
  conflict: undefined,
  speaker: '',
})
