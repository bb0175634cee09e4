import { expect, test } from 'vitest'
import { failed, findingsText, fine, isWell, notChecked, warning } from './findings.ts'

const well = [fine('name', 'web1')]
const ill = [
  ...well,
  failed('port', 'hub:8883 refuses', 'start it\nor do not'),
  notChecked('certificate', 'the port is shut'),
  warning('disk', '20 MB are free', 'free some'),
]

test('findings are lines for a person, with what to do below and the bad news again at the end', () => {
  expect(findingsText(ill)).toBe(
    [
      'ok       name         web1',
      'FAILED   port         hub:8883 refuses',
      '                    → start it',
      '                      or do not',
      '?        certificate  not checked because the port is shut',
      'WARNING  disk         20 MB are free',
      '                    → free some',
      '',
      '4 checks. 1 failed: port. 1 to look at before long: disk. 1 not checked: certificate.',
    ].join('\n'),
  )
  expect(findingsText(well)).toMatch(/\n1 checks, all is well\.$/)
})

test('what was not checked is not well, and only what failed ends with an error', () => {
  expect(ill.map(({ ok }) => ok)).toEqual([true, false, null, true])
  expect(isWell(ill)).toBe(false)
  expect(isWell(ill.filter(({ level }) => level !== 'failed'))).toBe(true)
})
