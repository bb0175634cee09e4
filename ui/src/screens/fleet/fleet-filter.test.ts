import type { ServerSummary } from '@harbinger/shared/api'
import { expect, test } from 'vitest'
import { isFiltered, matches, parseFilter } from './fleet-filter.ts'
import { mapColourOf, stepOf, stepWords, toneOf } from './map-colour.ts'
import { toGroups } from './server-groups.ts'

const row = (over: Partial<ServerSummary>) =>
  ({
    name: 'ppdb001',
    profile: 'database',
    tags: ['berlin'],
    state: 'healthy',
    presence: { state: 'heard', why: null, since: null },
    conflict: false,
    severity: 'healthy',
    abstained: null,
    metrics: {},
    risk: 3,
    riskPredicted: null,
    cpuUsed: null,
    ...over,
  }) as ServerSummary

const filter = (query: string) => parseFilter(new URLSearchParams(query))

test('an empty address shows every server', () => {
  expect(isFiltered(filter(''))).toBe(false)
  expect(matches(filter(''), row({}))).toBe(true)
})

test('a nonsense address is read as no filter instead of an empty screen', () => {
  expect(isFiltered(filter('severity=awful&only=x'))).toBe(false)
})

test.each([
  ['severity=danger,healthy', true],
  ['severity=danger', false],
  ['profile=database', true],
  ['profile=web_api', false],
  ['tag=berlin', true],
  ['search=PPDB', true],
  ['search=berl', true],
  ['search=ml', false],
  ['only=offline', false],
  ['only=late', false],
  ['only=conflict', false],
  ['only=no-forecast', false],
])('%s', (query, expected) => {
  expect(matches(filter(query), row({}))).toBe(expected)
})

test('groups by profile keep servers in the order of their numbers', () => {
  const rows = ['ppdb10', 'ppdb2', 'ppdb1'].map((name) => row({ name }))
  const [group] = toGroups(rows, 'profile')
  expect(group!.label).toBe('Database')
  expect(group!.rows.map(({ name }) => name)).toEqual(['ppdb1', 'ppdb2', 'ppdb10'])
})

test('a quantity is coloured by its step and an unknown one by nothing', () => {
  const cpu = mapColourOf('cpu')
  expect(toneOf(cpu, row({ cpuUsed: 96 }))).toBe('step-5')
  expect(toneOf(cpu, row({ cpuUsed: null }))).toBe('sev-unknown')
  expect(stepOf(cpu.steps!, 20)).toBe(1)
  expect([0, 1, 5].map((step) => stepWords(cpu, step))).toEqual([
    'under 20 %',
    '20 to 40 %',
    '95 % and more',
  ])
})
