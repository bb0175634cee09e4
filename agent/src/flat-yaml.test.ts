import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readFlatYaml } from './flat-yaml.ts'

test.each([
  ['nothing', ''],
  ['comments alone', '# a comment\n\n  # another\n'],
  [
    'what join writes',
    'hub: mqtts://hub.example:8883\ncaFile: /etc/harbinger/ca.pem\nidentityFile: /var/lib/harbinger-agent/identity.pem\nrenewalUrl: https://hub:8443\n',
  ],
  [
    'numbers, a comment behind a value, Windows line ends',
    'spoolDays: 7 # days\r\nspoolMegabytes: 0\r\n',
  ],
  ['a list', 'tags: [ prod, eu-1,rack/7 ]\nserver: a.b-c_D\n'],
])('%s is read as the parser reads it', (_, content) => {
  expect(readFlatYaml(content)).toEqual(parse(content) ?? {})
})

test.each([
  'a:\n  - b',
  'a: "quoted"',
  'a: true',
  'a: [x, NULL]',
  'a: 1.5',
  'a: 012',
  'a: b: c',
  'a: b:',
  'a: two words',
  'a: &b c',
  'a: ~',
  'a:',
  'a: 1\na: 2',
  'null: 1',
  '---\na: 1',
  '\ta: 1',
  ' a: 1',
  'a: [b',
  'a: [[b]]',
  'a: 123456789012345678',
  'a: b#c',
])('%j is left to the parser', (content) => {
  expect(readFlatYaml(content)).toBe(undefined)
})

test('whatever is made of such pieces is read as the parser reads it, or left to it', () => {
  const pieces = [
    'a',
    'b',
    ': ',
    ':',
    ' ',
    '\n',
    '7',
    '0',
    '/x',
    '-',
    '#',
    ' # c',
    '[',
    ']',
    ',',
    '.',
    '"',
    'null',
    'yes',
    '@',
    '~',
    '|',
    '>',
    '\t',
    '\r\n',
    '_',
    '{',
    '!',
    '*',
    '&',
    '%',
    'é',
    '1e3',
    '0x1',
  ]
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  let read = 0
  for (let i = 0; i < 60_000; i++) {
    let content = random(2) ? 'a: ' : ''
    for (let n = random(7); n >= 0; n--) content += pieces[random(pieces.length)]
    const values = readFlatYaml(content)
    if (values === undefined) continue
    read++
    expect(values, JSON.stringify(content)).toEqual(parse(content) ?? {})
  }
  expect(read).toBeGreaterThan(2_000)
})
