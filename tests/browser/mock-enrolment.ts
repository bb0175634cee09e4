import type { IncomingMessage } from 'node:http'
import type { AgentIdentity, EnrolmentToken, TokenRequest } from '@harbinger/shared/enrolment-api'

/** Tokens and agents of the mock hub. */
export function mockEnrolment(now: number) {
  const instant = (hours: number) => new Date(now + hours * 3_600_000).toISOString()
  const base = { rejoin: false, profile: null, tags: [], createdAt: instant(-30) }
  const tokens: EnrolmentToken[] = [
    {
      ...{ ...base, id: 'k3x9q2ab', note: 'rack 12', state: 'usable', usesAllowed: 40, uses: 17 },
      ...{ profile: 'database', tags: ['berlin', 'oracle'], expiresAt: instant(20) },
    },
    {
      ...base,
      id: 'p0o9i8u7',
      note: '',
      state: 'expired',
      usesAllowed: 1,
      uses: 0,
      expiresAt: instant(-6),
    },
  ]
  const agents: AgentIdentity[] = ['ppdb001', 'ppdb002', 'web-1.example'].map((server, i) => ({
    ...{ server, state: 'enrolled', connected: i !== 1, rejoin: false, token: 'k3x9q2ab' },
    ...{ enrolledAt: instant(-24 * i), renewedAt: null, certificateUntil: instant(24 * 80) },
    revokedAt: null,
  }))

  return {
    async answer(request: IncomingMessage, path: string): Promise<[number, unknown] | undefined> {
      const [, what, name, act] = path.split('/')
      if (what !== 'tokens' && what !== 'agents') return undefined
      if (what === 'agents' && name) {
        const i = agents.findIndex(({ server }) => server === name)
        agents[i] = {
          ...agents[i]!,
          ...(act === 'revoke'
            ? { state: 'revoked', revokedAt: instant(0), connected: false }
            : { rejoin: true }),
        }
        return [200, agents[i]]
      }
      if (what === 'agents') return [200, { agents, nextCursor: null }]
      if (name) {
        const i = tokens.findIndex(({ id }) => id === name)
        tokens[i] = { ...tokens[i]!, state: 'revoked' }
        return [200, tokens[i]]
      }
      if (request.method === 'GET') {
        const where = { hub: 'https://hub.example:8443', caSha256: 'ab'.repeat(32), problem: null }
        return [200, { tokens, ...where, nextCursor: null }]
      }
      let body = ''
      for await (const chunk of request) body += chunk
      const {
        uses = 1,
        hours = 24,
        note = '',
        tags = [],
        profile = null,
        rejoin = false,
      } = JSON.parse(body) as TokenRequest
      const made: EnrolmentToken = {
        ...{
          id: 'n1e2w3t4',
          note,
          state: 'usable',
          usesAllowed: uses,
          uses: 0,
          rejoin,
          profile,
          tags,
        },
        ...{ createdAt: instant(0), expiresAt: instant(hours) },
      }
      tokens.unshift(made)
      const token = `hbt_n1e2w3t4_${'S'.repeat(43)}`
      const line = `harbinger-agent join https://hub.example:8443 --token ${token} --ca-sha256 ${'ab'.repeat(32)}`
      return [200, { ...made, token, line }]
    },
  }
}
