import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CardReport, toModelCard } from '../model/model-card.ts'
import { readModelFolder } from '../model/model-folder.ts'
import { baseModelFolder, graphsFolder } from '../model/shipped.ts'

/*
 * Writes docs/model-card.md, the card of the base model:
 *
 *     node model-training/src/base-model/write-card.ts ../docs/model-card.md
 */

const [out] = process.argv.slice(2)
if (out === undefined) throw new Error('which file? name it')
const found = readModelFolder(baseModelFolder, { graphs: graphsFolder })
if ('refused' in found) throw new Error(found.refused)
const report = JSON.parse(readFileSync(join(found.folder, 'report.json'), 'utf8')) as CardReport
writeFileSync(out, `${toModelCard(found.manifest, report)}\n`)
