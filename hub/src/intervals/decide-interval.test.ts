import { describe, expect, test } from 'vitest'
import { type KeptRule, ruleKey } from '../storage/interval-rule-store.ts'
import { isFor, ruleFor } from './decide-interval.ts'

const rule = (kind: KeptRule['kind'], target: string, seconds: number): KeptRule => ({
  ...{ kind, target, seconds, setAt: 0, setBy: 'ada' },
})
const rulesOf = (...rules: KeptRule[]) => new Map(rules.map((one) => [ruleKey(one), one]))

const server = { name: 'ppdb001', tags: ['berlin', 'oracle'], profile: 'database' } as const
const ofProfile = rule('profile', 'database', 30)
const ofServer = rule('server', 'PPDB001', 300)

describe('the rule for a server', () => {
  test.each([
    [
      'none, when none is for it',
      [rule('tag', 'paris', 5), rule('profile', 'generic', 5)],
      undefined,
    ],
    ['that of its profile', [ofProfile], 30],
    ['that of its tag before that of its profile', [ofProfile, rule('tag', 'oracle', 60)], 60],
    ['the shortest of its tags', [rule('tag', 'oracle', 60), rule('tag', 'berlin', 20)], 20],
    [
      'its own before any other, in whatever case it is written',
      [ofProfile, rule('tag', 'oracle', 1), ofServer],
      300,
    ],
    [
      'none of a tag in another case: tags are what agents say',
      [rule('tag', 'Oracle', 5)],
      undefined,
    ],
  ])('is %s', (_, rules, seconds) => {
    expect(ruleFor(rulesOf(...rules), server)?.seconds).toBe(seconds)
  })
})

test.each([
  [ofServer, true],
  [rule('server', 'ppdb0011', 5), false],
  [rule('tag', 'berlin', 5), true],
  [rule('tag', 'ber', 5), false],
  [ofProfile, true],
  [rule('profile', 'generic', 5), false],
])('a rule for $kind $target is for this server or not', (one, is) => {
  expect(isFor(one, server)).toBe(is)
})
