import type { ServerSummary } from '@harbinger/shared/api'
import { expect, test } from 'vitest'
import { presenceWords } from './presence.ts'

const now = Date.parse('2026-03-02T14:05:00')
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString()

test.each<[string | null, ServerSummary['presence']]>([
  [null, { state: 'heard', why: null, since: null }],
  ['late: not heard for 40 s', { state: 'late', why: 'silent', since: ago(40) }],
  [
    'late: its agent is connected, but no sample came for 4 min',
    { state: 'late', why: 'no_samples', since: ago(240) },
  ],
  ['offline: not heard for 3 min', { state: 'offline', why: 'silent', since: ago(180) }],
  [
    'offline: connection lost, not heard for 75 s',
    { state: 'offline', why: 'lost', since: ago(75) },
  ],
  [
    'offline: its agent was stopped at 14:02',
    { state: 'offline', why: 'stopped', since: ago(180) },
  ],
  ['offline: never heard', { state: 'offline', why: 'never', since: null }],
])('%s', (words, presence) => expect(presenceWords({ presence }, now)).toBe(words))
