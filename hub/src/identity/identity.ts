import { readFileSync } from 'node:fs'
import { joinLine } from '@harbinger/shared/enrolment'
import type {
  AgentIdentity,
  Checked,
  CheckRequest,
  EnrolmentToken,
  EnrolRequest,
  MadeToken,
  RenewRequest,
  TokenRequest,
} from '@harbinger/shared/enrolment-api'
import type { Log } from '../log.ts'
import type { AgentStore, EnrolledAgent } from '../storage/agent-store.ts'
import type { Token, TokenStore } from '../storage/token-store.ts'
import { openAuthority } from './authority.ts'
import { type Audit, enrolment, type Refused } from './enrolment.ts'
import { hubAddress, whyNobodyJoins } from './join-address.ts'
import { keysFolder } from './secret-files.ts'
import { machineNames, openServerCredentials } from './server-credentials.ts'
import { newToken, tokenState } from './token-terms.ts'
import { isLoopback } from '../loopback.ts'
import type { TlsConfig } from './tls-config.ts'

const hourMs = 3_600_000
const fewDays = 14

export type Identity = Awaited<ReturnType<typeof openIdentity>>

type Parts = {
  readonly tls: TlsConfig | undefined
  /** Of a broker that somebody else runs; undefined with the embedded one. */
  readonly brokerUrl: string | undefined
  readonly dataFolder: string
  readonly tokens: TokenStore
  readonly agents: AgentStore
  /** Undefined when that is not known. */
  readonly isConnected: (server: string) => boolean | undefined
  readonly audit: Audit
  readonly now: () => number
  readonly log: Log
}

/** What proves who the hub and its agents are: the authority, the hub's certificate, tokens and enrolments. */
export async function openIdentity({
  tls,
  brokerUrl,
  dataFolder,
  tokens,
  agents,
  isConnected,
  audit,
  now,
  log,
}: Parts) {
  let ports = { http: 0, mqtt: 0 }
  const secure = tls && (await openSecure(tls))

  async function openSecure(tls: TlsConfig) {
    const folder = keysFolder(dataFolder)
    const authority = await openAuthority({ folder, now, given: tls.authority })
    const credentials = await openServerCredentials({
      ...{ authority, folder, names: tls.names, days: tls.serverDays },
      ...{ given: tls.server, now, log },
    })
    const ca = !tls.server
      ? authority.certificate
      : tls.trustFile
        ? readFileSync(tls.trustFile, 'utf8')
        : null
    const joining = enrolment({
      ...{ authority, tokens, agents, ca, days: tls.agentDays, audit, now, log },
      mqtt: () => brokerUrl ?? hubAddress('mqtts', tls, ports.mqtt),
    })
    return {
      ...{ authority, credentials, joining },
      hub: () => hubAddress('https', tls, ports.http),
      // With a certificate of one's own, the system's authorities or one's own file vouch for the hub.
      caSha256: tls.server ? null : authority.sha256,
    }
  }

  const tokenAnswer = ({ revokedAt: _revoked, createdAt, expiresAt, ...token }: Token) => ({
    ...token,
    tags: [...token.tags],
    state: tokenState({ revokedAt: _revoked, expiresAt, ...token }, now()),
    createdAt: instant(createdAt),
    expiresAt: instant(expiresAt),
  })

  const agentAnswer = (agent: EnrolledAgent): AgentIdentity => {
    const { server, enrolledAt, renewedAt, certificateUntil, revokedAt, rejoin, token } = agent
    return {
      ...{ server, rejoin, token, connected: isConnected(server) ?? null },
      state: revokedAt !== null ? 'revoked' : certificateUntil <= now() ? 'expired' : 'enrolled',
      ...{ enrolledAt: instant(enrolledAt), certificateUntil: instant(certificateUntil) },
      renewedAt: renewedAt === null ? null : instant(renewedAt),
      revokedAt: revokedAt === null ? null : instant(revokedAt),
    }
  }
  const found = (server: string): AgentIdentity | undefined => {
    const agent = agents.find(server)
    return agent && agentAnswer(agent)
  }

  const problem = whyNobodyJoins(tls, brokerUrl)
  const joining = problem === undefined ? secure?.joining : undefined
  const refused = { status: 409, refused: problem ?? '' } as const
  return {
    /** For listeners; undefined when the hub speaks in the clear. */
    secure: secure && {
      credentials: secure.credentials,
      agentAuthority: secure.authority.certificate,
      mayConnect: secure.joining.mayConnect,
    },
    /** By what the view may be called: on loopback nobody reaches it by another name, unless the settings say so. */
    names: (host: string): readonly string[] => {
      if (!tls) return []
      return tls.names.length > 0 || isLoopback(host) ? tls.names : machineNames()
    },
    /** Where it listens is known once it does. */
    listens(at: { readonly http: number; readonly mqtt: number }): void {
      ports = at
    },
    problems(): string[] {
      if (!secure) return []
      const { credentials, authority } = secure
      const days = credentials.daysLeft()
      const left = (authority.until - now()) / (24 * hourMs)
      const renewal = credentials.problem()
      return [
        ...(renewal === undefined ? [] : [`the hub's certificate is not renewed: ${renewal}`]),
        ...(tls.server && days < fewDays
          ? [`the certificate in ${tls.server.certificateFile} ends in ${days.toFixed(1)} days`]
          : []),
        ...(left < 365 ? [`the authority of this hub ends in ${Math.floor(left)} days`] : []),
      ]
    },
    renew: async (): Promise<void> => secure?.credentials.refresh(),
    sources: {
      enrol: async (asked: EnrolRequest, address: string) =>
        joining ? joining.enrol(asked, address) : refused,
      renewAgent: async (asked: RenewRequest, address: string) =>
        joining ? joining.renew(asked, address) : refused,
      checkAgent(asked: CheckRequest, address: string): Checked | Refused {
        if (!joining) return refused
        const found = joining.check(asked, address)
        return 'status' in found
          ? found
          : { ...found, connected: isConnected(found.server) ?? null }
      },
      tokens: () => ({
        tokens: tokens.list().map(tokenAnswer),
        hub: joining && secure ? secure.hub() : null,
        caSha256: secure?.caSha256 ?? null,
        problem: problem ?? null,
        nextCursor: null,
      }),
      createToken(asked: TokenRequest): MadeToken | { readonly refused: string } {
        if (!secure || problem !== undefined) return { refused: problem ?? '' }
        const { token, made } = tokens.create(newToken(asked, now()), now())
        log.info({ token: made.id, uses: made.usesAllowed }, 'enrolment token made')
        const line = joinLine({ hub: secure.hub(), token, caSha256: secure.caSha256 })
        return { ...tokenAnswer(made), token, line }
      },
      revokeToken(id: string): EnrolmentToken | undefined {
        if (tokens.revoke(id, now())) log.info({ token: id }, 'enrolment token revoked')
        const token = tokens.get(id)
        return token && tokenAnswer(token)
      },
      agents: () => ({ agents: agents.list().map(agentAnswer), nextCursor: null }),
      revokeAgent(server: string): AgentIdentity | undefined {
        if (agents.revoke(server, now())) log.info({ server }, 'agent revoked')
        return found(server)
      },
      allowRejoin(server: string): AgentIdentity | undefined {
        if (agents.allowRejoin(server)) log.info({ server }, 'agent may join once more')
        return found(server)
      },
    },
  }
}

const instant = (at: number): string => new Date(at).toISOString()
