import { expect, test } from 'vitest'
import { lateAfterMs, presenceAt, type PresenceInput } from './presence.ts'

const now = 10_000_000
const ago = (seconds: number) => now - seconds * 1000
const usual: PresenceInput = {
  now,
  intervalMs: 10_000,
  samplesAt: ago(5),
  heardAt: ago(5),
  gone: undefined,
  hearingSince: 0,
  wasOffline: false,
}
const silent = (seconds: number) => ({ samplesAt: ago(seconds), heardAt: ago(seconds) })
const lost = (seconds: number) => ({ gone: { at: ago(seconds), goodbye: false } })
const stopped = (seconds: number) => ({ gone: { at: ago(seconds), goodbye: true } })

test.each<[string, string | null, string, Partial<PresenceInput>]>([
  ['heard', null, 'it speaks', {}],
  ['heard', null, 'it missed one sample', silent(25)],
  ['late', 'silent', 'it missed two', silent(26)],
  ['late', 'silent', 'it is silent for a minute', silent(60)],
  ['offline', 'silent', 'it is silent for longer', silent(61)],
  ['heard', null, 'it samples every minute', { ...silent(125), intervalMs: 60_000 }],
  [
    'late',
    'silent',
    'it samples every minute and missed two',
    { ...silent(126), intervalMs: 60_000 },
  ],
  ['offline', 'silent', 'it missed six', { ...silent(361), intervalMs: 60_000 }],
  ['late', 'no_samples', 'its agent speaks, but sends none', { samplesAt: ago(900) }],
  ['heard', null, 'its connection ended and it may be back', { ...silent(5), ...lost(4) }],
  ['late', 'silent', 'its connection ended', { ...silent(26), ...lost(20) }],
  ['offline', 'lost', 'its connection did not come back', { ...silent(30), ...lost(25) }],
  ['heard', null, 'its agent is restarted', { ...silent(24), ...stopped(24) }],
  ['offline', 'stopped', 'its agent stays away', { ...silent(26), ...stopped(25) }],
  ['late', 'silent', 'the hub has just started', { ...silent(900), hearingSince: ago(89) }],
  [
    'offline',
    'silent',
    'the hub has heard others since',
    { ...silent(900), hearingSince: ago(91) },
  ],
  [
    'late',
    'silent',
    'it left before a restart',
    { ...silent(99), ...lost(99), hearingSince: ago(54) },
  ],
  [
    'offline',
    'lost',
    'it has not come back',
    { ...silent(99), ...lost(99), hearingSince: ago(55) },
  ],
  [
    'offline',
    'lost',
    'it came back to a hub that has just started, and crashed',
    { ...silent(26), ...lost(25), hearingSince: ago(40) },
  ],
  [
    'offline',
    'silent',
    'it was gone before the hub started',
    { ...silent(900), hearingSince: ago(1), wasOffline: true },
  ],
  ['late', 'hub_deaf', 'the hub hears nobody', { ...silent(9_000), hearingSince: undefined }],
  ['heard', null, 'it has just joined', { samplesAt: undefined, heardAt: ago(5) }],
  ['late', 'never', 'its first sample is overdue', { samplesAt: undefined, heardAt: ago(26) }],
  ['offline', 'never', 'no sample ever came', { samplesAt: undefined, heardAt: ago(61) }],
])('%s (%s) when %s', (state, why, _, change) => {
  expect(presenceAt({ ...usual, ...change })).toMatchObject({ state, why })
})

test('late is two intervals and five seconds', () => {
  expect([1_000, 10_000, 300_000].map(lateAfterMs)).toEqual([7_000, 25_000, 605_000])
})

test('says since when: the last word, or the goodbye', () => {
  expect(presenceAt({ ...usual, ...silent(99) }).since).toBe(ago(99))
  expect(presenceAt({ ...usual, ...silent(99), ...lost(70) }).since).toBe(ago(99))
  expect(presenceAt({ ...usual, ...silent(99), ...stopped(90) }).since).toBe(ago(90))
  expect(presenceAt({ ...usual, samplesAt: undefined, heardAt: ago(99) }).since).toBeNull()
  expect(presenceAt(usual).since).toBeNull()
})
