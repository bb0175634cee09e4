import type { Profile } from '@harbinger/shared/profiles'
import type { KeptRule } from '../storage/interval-rule-store.ts'
import { ruleKey } from '../storage/interval-rule-store.ts'

export type RuledServer = {
  readonly name: string
  readonly tags: readonly string[]
  readonly profile: Profile
}

export type Rules = ReadonlyMap<string, KeptRule>

/**
 * The rule that decides a server's interval: its own before one of its tags, that before one of its profile. Of several
 * tags the shortest interval wins: who asked for a closer look gets it. Undefined leaves it to the agent's configuration.
 */
export function ruleFor(rules: Rules, { name, tags, profile }: RuledServer): KeptRule | undefined {
  if (rules.size === 0) return undefined
  const own = rules.get(ruleKey({ kind: 'server', target: name }))
  if (own) return own
  let ofTags: KeptRule | undefined
  for (const tag of tags) {
    const rule = rules.get(ruleKey({ kind: 'tag', target: tag }))
    if (rule && (!ofTags || rule.seconds < ofTags.seconds)) ofTags = rule
  }
  return ofTags ?? rules.get(ruleKey({ kind: 'profile', target: profile }))
}

/** Under which keys rules for this server would be. */
export const ruleKeysOf = ({ name, tags, profile }: RuledServer): ReadonlySet<string> =>
  new Set([
    ruleKey({ kind: 'server', target: name }),
    ...tags.map((target) => ruleKey({ kind: 'tag', target })),
    ruleKey({ kind: 'profile', target: profile }),
  ])

/** Whether a rule, there or only thought of, is for this server. */
export const isFor = (rule: Pick<KeptRule, 'kind' | 'target'>, server: RuledServer): boolean =>
  ruleKeysOf(server).has(ruleKey(rule))
