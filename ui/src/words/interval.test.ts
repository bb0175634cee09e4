import { expect, test } from 'vitest'
import { intervalText } from './interval.ts'

const rule = { kind: 'tag', target: 'berlin', seconds: 60 } as const

test.each([
  [{ seconds: 10, from: 'own', own: 10, rule: null }, '10 s, by its own configuration'],
  [
    { seconds: 60, from: 'hub', own: 10, rule },
    '60 s, by the rule for tag berlin; by its own configuration 10 s',
  ],
  [
    { seconds: 10, from: 'own', own: 10, rule },
    '10 s, by its own configuration. Not yet as the rule for tag berlin asks: 60 s',
  ],
  [{ seconds: 60, from: 'hub', own: 10, rule: null }, '60 s, as the hub asked before'],
  [
    { seconds: 11, from: 'measured', own: null, rule },
    'about 11 s, judged by its samples; this agent does not say. Not yet as the rule for tag berlin asks: 60 s',
  ],
] as const)('%o reads as a sentence', (interval, text) => {
  expect(intervalText(interval)).toBe(text)
})
