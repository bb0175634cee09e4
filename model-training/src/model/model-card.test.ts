import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type CardReport, toModelCard } from './model-card.ts'
import { readModelFolder } from './model-folder.ts'
import { baseModelFolder, graphsFolder } from './shipped.ts'

const found = readModelFolder(baseModelFolder, { graphs: graphsFolder })
if ('refused' in found) throw new Error(found.refused)
const { manifest, folder } = found
const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as CardReport

test('the card in docs is that of the base model: node model-training/src/base-model/write-card.ts writes it', () => {
  const path = new URL('../../../docs/model-card.md', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(`${toModelCard(manifest, report)}\n`)
})

test('names what it is worse at, and leaves out what nobody measured', () => {
  const byMetric = { ...report.byMetric }
  const [name] = Object.keys(byMetric)
  byMetric[name!] = { ...byMetric[name!]!, ratio: 1.2 }
  const card = toModelCard(manifest, { ...report, byMetric, skill: null, also: [] })
  expect(card).toContain('Worse than the best baseline on: CPU user.')
  expect(card).toContain('skill –.')
})
