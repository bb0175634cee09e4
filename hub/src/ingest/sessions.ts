import { isServerName, serverKey } from '@harbinger/shared/server'

/** Client ids that may speak for many servers: simulated fleets and load generators, on this machine only. */
export const fleetClientPrefix = 'harbinger-fleet-'

/** What the hub remembers of one connection. */
export type Session = {
  readonly clientId: string
  readonly isFleet: boolean
  /** Storage failed for one of its messages: nothing after that one may be kept, or a gap would look decided. */
  broken: boolean
  /** Servers whose first samples of this connection have arrived. */
  readonly begun: Set<string>
  /** Servers whose agents say themselves from where on they have samples. */
  readonly exact: Set<string>
  /** Every message that was sent arrives, in order: so it is without a broker in between. */
  readonly inOrder: boolean
  /** Backlog is read and kept in order. */
  tail: Promise<void>
}

export const newSession = (clientId: string, isLocal: boolean): Session => ({
  clientId,
  isFleet: isLocal && clientId.startsWith(fleetClientPrefix),
  broken: false,
  begun: new Set(),
  exact: new Set(),
  inOrder: true,
  tail: Promise.resolve(),
})

/** An agent is its client id, and speaks for itself alone. */
export const speaksFor = ({ clientId, isFleet }: Session, server: string): boolean =>
  isFleet || (isServerName(clientId) && serverKey(clientId) === serverKey(server))

const manyTakeovers = 3
const rememberedMs = 2 * 60_000
const shownMs = 5 * 60_000

/**
 * Of agents that made up nothing to be told apart by (namesakes.ts): two live ones with one name push each other off
 * the broker again and again; one that lost its connection does so once. Three times within two minutes is a conflict, until five minutes have passed without another.
 */
export function takeovers() {
  const seen = new Map<string, number[]>()
  const conflicts = new Map<string, number>()

  return {
    note(server: string, at: number): void {
      const key = serverKey(server)
      const recent = [...(seen.get(key) ?? []), at].filter((t) => t > at - rememberedMs)
      seen.set(key, recent)
      if (recent.length >= manyTakeovers || conflicts.has(key)) conflicts.set(key, at)
    },
    isConflict(server: string, now: number): boolean {
      const key = serverKey(server)
      const at = conflicts.get(key)
      if (at === undefined) return false
      if (now - at <= shownMs) return true
      conflicts.delete(key)
      seen.delete(key)
      return false
    },
  }
}
