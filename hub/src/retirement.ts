import type { RetiredServer, RetiredServers } from '@harbinger/shared/api'
import type { Log } from './log.ts'
import type { Presence } from './risk/presence.ts'
import type { AgentStore, EnrolledAgent } from './storage/agent-store.ts'
import type { AuditRow } from './storage/audit-store.ts'
import type { Retirement, Server, ServerStore } from './storage/server-store.ts'

type Parts = {
  readonly now: () => number
  readonly servers: ServerStore
  readonly agents: Pick<AgentStore, 'find'>
  readonly presence: (server: Server, now: number) => Presence
  readonly hearingSince: () => number | undefined
  /** Offline for so long, a server is retired; 0 is never. */
  readonly afterDays: number
  /** The fleet's view lets go of it, or looks at it again. */
  readonly onChange: (server: Server) => void
  readonly audit: (row: Omit<AuditRow, 'id' | 'at'>) => void
  readonly log: Log
}

export type Certificate = RetiredServer['certificate']
export type RetirementAnswer = RetiredServer | { readonly refused: string }

const dayMs = 86_400_000
/** What a hub that was away does not know of, it does not judge at once. */
const settledMs = 3_600_000
const byHub = { who: 'the hub', address: '' } as const

/** What the hub knows of the certificate of a server. */
export function certificateOf(agent: EnrolledAgent | undefined, now: number): Certificate {
  if (!agent) return 'none'
  if (agent.revokedAt !== null) return 'revoked'
  return agent.certificateUntil <= now ? 'expired' : 'valid'
}

/**
 * Lets servers leave the fleet: they are counted, shown, forecast and alerted about no more, and what was measured of
 * them stays as long as anything does. A server that is heard again is back by itself.
 */
export function retirement(parts: Parts) {
  const { now, servers, agents, presence, afterDays, onChange, audit, log } = parts

  const answer = (server: Server, { at, by, reason }: Retirement): RetiredServer => ({
    ...{ name: server.name, profile: server.profile },
    lastSeen: server.latest ? new Date(server.latest.at).toISOString() : null,
    certificate: certificateOf(agents.find(server.name), now()),
    retired: { at: new Date(at).toISOString(), by, reason },
  })

  function retire(server: Server, by: string, reason: string): RetiredServer {
    const retired = { at: now(), by, reason }
    servers.retire(server, retired)
    onChange(server)
    log.info({ server: server.name, by, reason }, 'server retired')
    return answer(server, retired)
  }

  return {
    /** Undefined: there is no such server. A server that still speaks would be back in seconds, so it is refused. */
    retire(
      name: string,
      { by, reason = '' }: { readonly by: string; readonly reason?: string | undefined },
    ): RetirementAnswer | undefined {
      const server = servers.find(name)
      if (!server) return undefined
      if (server.retired) return answer(server, server.retired)
      const { state } = presence(server, now())
      const isRevoked = certificateOf(agents.find(name), now()) === 'revoked'
      if (state !== 'offline' && !isRevoked) {
        return {
          refused: `${server.name} is ${state === 'late' ? 'late and not offline yet' : 'heard'}: it would be back with its next sample. Stop its agent or revoke its certificate, and retire it when it is offline`,
        }
      }
      return retire(server, by, reason)
    },

    /** Back in the fleet, offline until it is heard. Undefined: no such server is retired. */
    bringBack(name: string): { readonly name: string } | undefined {
      const server = servers.find(name)
      if (!server?.retired) return undefined
      servers.bringBack(server, now())
      onChange(server)
      log.info({ server: server.name }, 'server brought back')
      return { name: server.name }
    },

    list: (): RetiredServers => ({
      afterDays,
      servers: [...servers.everyone()].flatMap((server) =>
        server.retired ? [answer(server, server.retired)] : [],
      ),
    }),

    /** A retired server spoke. */
    returned(back: Iterable<Server>): void {
      for (const { name } of back) {
        log.info({ server: name }, 'a retired server is heard again and back in the fleet')
        audit({
          ...{ ...byHub, action: 'server came back', target: name, outcome: 'done' },
          detail: 'it was retired, and is heard again',
        })
      }
    },

    /** Once an hour: who has been offline for too long. */
    retireSilent(): void {
      const since = parts.hearingSince()
      if (afterDays === 0 || since === undefined || now() - since < settledMs) return
      for (const server of servers.all()) {
        const { firstSeen, lastArrivedAt, broughtBackAt } = server
        const last = Math.max(firstSeen, lastArrivedAt, broughtBackAt ?? 0)
        if (now() - last <= afterDays * dayMs) continue
        if (presence(server, now()).state !== 'offline') continue
        const reason = `offline for more than ${afterDays} days`
        retire(server, byHub.who, reason)
        audit({
          ...{ ...byHub, action: 'server retired', target: server.name, outcome: 'done' },
          detail: reason,
        })
      }
    },
  }
}
