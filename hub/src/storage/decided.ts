import type { Server } from './server-store.ts'

export type Decided = ReturnType<typeof decidedSeqs>

/**
 * Which samples of a server are decided (stored or quarantined) without a gap, and which beyond a gap: live samples
 * overtake a backlog. Only what lies before the first gap is acknowledged, because an agent forgets up to there.
 */
export function decidedSeqs() {
  const beyond = new Map<number, Set<number>>()

  const absorb = (server: Server): void => {
    const ahead = beyond.get(server.id)
    while (ahead?.delete(server.decidedUpTo + 1)) server.decidedUpTo++
    if (ahead?.size === 0) beyond.delete(server.id)
  }

  return {
    has: (server: Server, seq: number): boolean =>
      seq <= server.decidedUpTo || (beyond.get(server.id)?.has(seq) ?? false),

    /** Decided beyond a gap, in this run of the hub. */
    isBeyond: (server: Server, seq: number): boolean => beyond.get(server.id)?.has(seq) ?? false,

    /** The agent keeps nothing older than `seq`: whatever is missing before it will never come. */
    startAt(server: Server, seq: number): void {
      if (seq - 1 <= server.decidedUpTo) return
      for (const ahead of beyond.get(server.id) ?? []) {
        if (ahead < seq) beyond.get(server.id)!.delete(ahead)
      }
      server.decidedUpTo = seq - 1
      absorb(server)
    },

    add(server: Server, seq: number): void {
      if (seq <= server.decidedUpTo) return
      if (seq === server.decidedUpTo + 1) {
        server.decidedUpTo = seq
        return absorb(server)
      }
      const ahead = beyond.get(server.id)
      if (ahead) ahead.add(seq)
      else beyond.set(server.id, new Set([seq]))
    },

    /** After a failed transaction, or when numbering begins anew; the agent sends again what was beyond. */
    forgetBeyond: (server: Server): void => void beyond.delete(server.id),
  }
}
