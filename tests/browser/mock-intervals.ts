import type { IncomingMessage } from 'node:http'
import type {
  IntervalEstimate,
  IntervalRule,
  IntervalRuleRequest,
} from '@harbinger/shared/intervals-api'

/** Rules of the mock hub, and what it says that they would do. */
export function mockIntervals(now: number) {
  const setAt = new Date(now - 26 * 3_600_000).toISOString()
  const rules: IntervalRule[] = [
    {
      ...{ kind: 'server', target: 'web-1.example', seconds: 300, setAt, setBy: 'ada' },
      ...{ servers: 1, decides: 1, pending: 0 },
    },
    {
      ...{ kind: 'tag', target: 'berlin', seconds: 30, setAt, setBy: 'command line (root)' },
      ...{ servers: 15, decides: 12, pending: 3 },
    },
  ]
  const figures = { servers: 15, decidedByOthers: 3, touched: 12, measured: 12, minutes: 60 }
  const counted =
    'counted are the MQTT packets of samples and their acknowledgements; not counted are TLS, TCP and IP headers, keep-alives, status, inventory and what is sent again'

  function estimate(query: URLSearchParams): IntervalEstimate {
    const seconds = Number(query.get('seconds') ?? 10)
    const included = counted
    if (query.get('target') === 'paris') {
      const nobody = { servers: 0, decidedByOthers: 0, touched: 0, measured: 0, minutes: 60 }
      return { ...nobody, bytesPerDay: null, included }
    }
    if (query.get('target') === 'quiet')
      return { ...figures, measured: 0, bytesPerDay: null, included }
    return { ...figures, bytesPerDay: { now: 31e6, then: 310e6 / seconds }, included }
  }

  return {
    async answer(request: IncomingMessage, url: URL): Promise<[number, unknown] | undefined> {
      if (url.pathname === '/api/v1/intervals/estimate') return [200, estimate(url.searchParams)]
      if (url.pathname !== '/api/v1/intervals') return undefined
      if (request.method === 'GET') return [200, { rules, withoutRule: 75, nextCursor: null }]
      const isOf = (kind: unknown, target: unknown) => (rule: IntervalRule) =>
        rule.kind === kind && rule.target === target
      if (request.method === 'DELETE') {
        const [kind, target] = [url.searchParams.get('kind'), url.searchParams.get('target')]
        const at = rules.findIndex(isOf(kind, target))
        if (at < 0) return [404, { error: { code: 'not_found', message: 'there is no such rule' } }]
        rules.splice(at, 1)
        return [200, { kind, target }]
      }
      let body = ''
      for await (const chunk of request) body += chunk
      const asked = JSON.parse(body) as IntervalRuleRequest
      const at = rules.findIndex(isOf(asked.kind, asked.target))
      const rule: IntervalRule = {
        ...{ ...asked, setAt: new Date(now).toISOString(), setBy: 'ada' },
        ...{ servers: 15, decides: 12, pending: 12 },
      }
      if (at < 0) rules.push(rule)
      else rules[at] = rule
      return [200, rule]
    },
  }
}
