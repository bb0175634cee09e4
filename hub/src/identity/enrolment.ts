import { randomBytes, verify, X509Certificate } from 'node:crypto'
import { checkStatement, renewalStatement } from '@harbinger/shared/enrolment'
import type {
  CheckRequest,
  Enrolled,
  EnrolRequest,
  RenewRequest,
} from '@harbinger/shared/enrolment-api'
import { serverKey } from '@harbinger/shared/server'
import type { Log } from '../log.ts'
import type { AgentStore, EnrolledAgent } from '../storage/agent-store.ts'
import type { Token, TokenStore } from '../storage/token-store.ts'
import { type AgentName, agentNameOf } from './agent-name.ts'
import { type Authority, sha256Of } from './authority.ts'
import { failureLimit } from './failure-limit.ts'

/** `status` is what HTTP makes of it. */
export type Refused = {
  readonly status: 400 | 403 | 409 | 429
  readonly refused: string
  readonly retrySeconds?: number
}

/** Writes down who joined, in the hub's audit log. */
export type Audit = (row: {
  readonly who: string
  readonly address: string
  readonly action: string
  readonly target: string
  readonly outcome: 'done' | 'refused'
  readonly detail: string
}) => void

type Parts = {
  readonly authority: Authority
  readonly tokens: Pick<TokenStore, 'find' | 'use'>
  readonly agents: AgentStore
  /** Told to whoever joins. */
  readonly mqtt: () => string
  readonly ca: string | null
  readonly days: number
  readonly audit: Audit
  readonly now: () => number
  readonly log: Log
}

export type Enrolment = ReturnType<typeof enrolment>

/** Who becomes an agent of this hub: a token and a key that its owner holds buy a certificate. */
export function enrolment({ authority, tokens, agents, mqtt, ca, days, audit, now, log }: Parts) {
  const limit = failureLimit(now)

  /** The reason why a token buys nothing; undefined when it does. */
  function whyNot(token: Token | undefined): string | undefined {
    if (!token) return 'the hub knows no such token: copy the whole line, or make a new one'
    const at = (ms: number): string => new Date(ms).toISOString()
    if (token.revokedAt !== null) return `token ${token.id} was revoked at ${at(token.revokedAt)}`
    if (token.expiresAt <= now()) {
      return `token ${token.id} expired at ${at(token.expiresAt)}: make a new one`
    }
    if (token.uses >= token.usesAllowed) return usedUp(token)
    return undefined
  }

  /** A server whose answer was lost asks again with the same key: it has not joined twice. */
  const isRetry = (known: EnrolledAgent, token: Token, keySha256: string): boolean =>
    known.revokedAt === null && known.token === token.id && known.keySha256 === keySha256

  function nameTaken(known: EnrolledAgent | undefined, token: Token): string | undefined {
    if (!known || token.rejoin || known.rejoin) return undefined
    const how = `let it join once more with "harbinger agent allow-rejoin ${known.server}" on the hub or in Settings, or use a token made with --allow-rejoin`
    return known.revokedAt === null
      ? `a server named ${known.server} is enrolled already: ${how}`
      : `the agent of ${known.server} was revoked at ${new Date(known.revokedAt).toISOString()}: ${how}`
  }

  /** With a token that the hub made; strangers, who have none, could fill the audit log. */
  function note(
    { address, server, token }: { address: string; server: string; token?: string },
    outcome: 'done' | 'refused',
    detail: string,
  ): void {
    if (token === undefined) return
    try {
      audit({
        ...{ who: `enrolment token ${token}`, address, action: 'join', target: server },
        ...{ outcome, detail },
      })
    } catch (error) {
      log.error({ err: error, server }, 'the audit log cannot be written')
    }
  }

  /** Counted, logged and told; the token itself goes into no log. */
  function refuse(
    what: Refused,
    fields: { address: string; server: string; token?: string },
  ): Refused {
    limit.failed(fields.address)
    log.warn({ ...fields, reason: what.refused }, 'enrolment refused')
    note(fields, 'refused', what.refused)
    return what
  }

  function waiting(address: string): Refused | undefined {
    const seconds = limit.mustWait(address)
    return seconds === undefined
      ? undefined
      : {
          status: 429,
          refused: `too many refused attempts: try again in ${seconds} s`,
          retrySeconds: seconds,
        }
  }

  async function signFor(server: string, enrolment: string, request: string) {
    const certificate = await authority.signAgent({ server, enrolment, request }, days)
    return { certificate, until: Date.parse(new X509Certificate(certificate).validTo) }
  }

  const answer = (
    server: string,
    signed: { certificate: string; until: number },
    given: Pick<Token, 'profile' | 'tags'>,
  ): Enrolled => ({
    ...{ server, certificate: signed.certificate, ca, mqtt: mqtt() },
    until: new Date(signed.until).toISOString(),
    ...{ profile: given.profile, tags: [...given.tags] },
  })

  /** Whose certificate somebody shows; it is still to be proven that they hold its key. */
  function shownBy(certificate: string, address: string) {
    const wait = waiting(address)
    if (wait) return wait
    const present = readCertificate(certificate)
    const name = agentNameOf(present)
    const who = { address, server: name?.server ?? 'unknown' }
    if (!present || !name || !authority.signed(present)) {
      const refused = 'this is no certificate of an agent of this hub: join again'
      return refuse({ status: 403, refused }, who)
    }
    return { present, name, who }
  }

  return {
    async enrol(asked: EnrolRequest, address: string): Promise<Enrolled | Refused> {
      const wait = waiting(address)
      if (wait) return wait
      const { server } = asked
      const token = tokens.find(asked.token)
      const request = await authority.readRequest(asked.request)
      const who = { address, server, ...(token && { token: token.id }) }
      const known = agents.find(server)
      const again =
        'keySha256' in request && known && token && isRetry(known, token, request.keySha256)
      const reason =
        again && token.revokedAt === null && token.expiresAt > now() ? undefined : whyNot(token)
      if (reason !== undefined || !token) return refuse({ status: 403, refused: reason! }, who)
      if ('rejected' in request) return refuse({ status: 400, refused: request.rejected }, who)
      if (serverKey(request.server) !== serverKey(server)) {
        const refused = `the signing request is for ${JSON.stringify(request.server.slice(0, 80))}, the server says it is ${server}`
        return refuse({ status: 400, refused }, who)
      }
      const taken = again ? undefined : nameTaken(known, token)
      if (taken !== undefined) return refuse({ status: 409, refused: taken }, who)

      const enrolment = again ? known.enrolment : randomBytes(16).toString('hex')
      const signed = await signFor(server, enrolment, asked.request)
      if (!again) {
        // While it was signed, another server may have taken the last use, or this name.
        const lost = nameTaken(agents.find(server), token)
        if (lost !== undefined) return refuse({ status: 409, refused: lost }, who)
        if (!tokens.use(token.id, now())) {
          return refuse(
            { status: 403, refused: whyNot(tokens.find(asked.token)) ?? usedUp(token) },
            who,
          )
        }
        agents.enrol({
          ...{ server, enrolment, keySha256: request.keySha256, token: token.id },
          ...{ enrolledAt: now(), certificateUntil: signed.until },
        })
      }
      log.info({ ...who, again: known !== undefined }, 'agent enrolled')
      note(who, 'done', again ? 'asked again with the same key' : known ? 'joined again' : '')
      return answer(server, signed, token)
    },

    /** The next certificate, for whoever holds the key of the present one. */
    async renew(asked: RenewRequest, address: string): Promise<Enrolled | Refused> {
      const shown = shownBy(asked.certificate, address)
      if ('refused' in shown) return shown
      const { present, name, who } = shown
      const reason = mayConnect(name)
      if (reason !== undefined) return refuse({ status: 403, refused: reason }, who)
      const statement = Buffer.from(renewalStatement(asked.request))
      if (!isSigned(statement, asked.signature, present)) {
        const refused = 'the renewal is not signed by the key of the certificate'
        return refuse({ status: 403, refused }, who)
      }
      const request = await authority.readRequest(asked.request)
      if ('rejected' in request) return refuse({ status: 400, refused: request.rejected }, who)
      const signed = await signFor(name.server, name.enrolment, asked.request)
      // While it was signed, somebody may have revoked it.
      const late = mayConnect(name)
      if (late !== undefined) return refuse({ status: 403, refused: late }, who)
      agents.renew(name.server, { at: now(), until: signed.until, keySha256: request.keySha256 })
      log.info({ ...who, until: new Date(signed.until).toISOString() }, 'certificate renewed')
      return answer(name.server, signed, { profile: null, tags: [] })
    },

    /** Whether a certificate lets its holder in, for a doctor that must not connect beside the live agent. */
    check(
      asked: CheckRequest,
      address: string,
    ): { readonly server: string; readonly problem: string | null } | Refused {
      const shown = shownBy(asked.certificate, address)
      if ('refused' in shown) return shown
      const { present, name, who } = shown
      if (!isSigned(Buffer.from(checkStatement(sha256Of(present))), asked.signature, present)) {
        const refused = 'the question is not signed by the key of the certificate'
        return refuse({ status: 403, refused }, who)
      }
      return { server: name.server, problem: mayConnect(name) ?? null }
    },

    mayConnect,
  }

  /** The reason why a certificate of ours lets nobody in any more; undefined when it does. */
  function mayConnect({ server, enrolment, until }: AgentName): string | undefined {
    const known = agents.find(server)
    if (!known) return `no agent named ${server} is enrolled: join again`
    if (known.revokedAt !== null) {
      return `the agent of ${server} was revoked at ${new Date(known.revokedAt).toISOString()}`
    }
    if (known.enrolment !== enrolment) {
      return `${server} has joined again since; this certificate is of an earlier time`
    }
    if (until <= now()) {
      return `the certificate of ${server} ended at ${new Date(until).toISOString()}: join again`
    }
    return undefined
  }
}

const usedUp = ({ id, usesAllowed }: Token): string =>
  `token ${id} is used up: it was made for ${usesAllowed} ${usesAllowed === 1 ? 'server' : 'servers'}`

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function isSigned(statement: Buffer, signature: string, { publicKey }: X509Certificate): boolean {
  try {
    return verify('sha256', statement, publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
