import type {
  IntervalEstimate,
  IntervalRuleRequest,
  Intervals,
  RuleChange,
  RuleTarget,
} from '@harbinger/shared/intervals-api'
import { ask } from './hub-api.ts'

const change = (method: 'PUT' | 'DELETE', path: string, body: object): Promise<Response> =>
  ask(path, {
    ...{ method, body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })

export const readIntervals = async (): Promise<Intervals> => (await ask('/intervals')).json()

/** What a rule, or without `seconds` its removal, would do. */
export async function estimateInterval(
  { kind, target, seconds }: RuleChange,
  signal?: AbortSignal,
): Promise<IntervalEstimate> {
  const query = new URLSearchParams({ kind, target })
  if (seconds !== undefined) query.set('seconds', String(seconds))
  return (await ask(`/intervals/estimate?${query}`, signal ? { signal } : {})).json()
}

export async function setIntervalRule(rule: IntervalRuleRequest): Promise<void> {
  await change('PUT', '/intervals', rule)
}

export async function removeIntervalRule({ kind, target }: RuleTarget): Promise<void> {
  await change('DELETE', `/intervals?${new URLSearchParams({ kind, target })}`, {})
}
