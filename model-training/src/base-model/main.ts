import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadHistory } from '../history/load-history.ts'
import { readModelFolder, readWeights } from '../model/model-folder.ts'
import { baseModelFolder, graphsFolder } from '../model/shipped.ts'
import { trainModel } from '../train/run-train.ts'
import {
  chosenFrom,
  heldOutFleet,
  reportedFleet,
  reportedFrom,
  simulatedSources,
  stretch,
} from './sources.ts'

/*
 * Trains the base model that a new hub starts with, in two runs, as told in LOG.md:
 *
 *     node model-training/src/base-model/main.ts ../shared/data/real-servers-dev.parquet --out ../models/zero-shot
 *     node model-training/src/base-model/main.ts ../shared/data/real-servers-dev.parquet --fine-tune ../models/zero-shot
 *
 * The first learns from servers that do not exist and nothing of the trace. The second goes on from there with days
 * 0–22 of the trace beside them. Days 22–25 choose who serves and calibrate, days 25–30 are reported on.
 *   --seeds 2,3,4     one model folder per seed, OUT-SEED each, from FOLDER-SEED when fine-tuned; not judged here
 *   --no-profiles     a network that never sees a profile, for the ablation
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string' },
    'fine-tune': { type: 'string' },
    seeds: { type: 'string', default: '1' },
    out: { type: 'string', default: baseModelFolder },
    graphs: { type: 'string', default: graphsFolder },
    'no-profiles': { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
  },
})
const [path] = positionals
if (path === undefined) throw new Error('which trace? name its file')
const { graphs } = values
const seeds = values.seeds.split(',').map(Number)
const dayMs = 86_400_000
/** How often simulated windows are drawn while fine-tuning, beside how often before: what they taught is not to be forgotten. */
const tunedShare = 0.9
const tunedRate = 0.0006

const real = await loadHistory(path, { onWarning: console.warn })
const select = real.from + chosenFrom * dayMs
const report = real.from + reportedFrom * dayMs
const heldOut = heldOutFleet()
const base = values['fine-tune']
const simulated = simulatedSources()
const sources = base
  ? [
      // A real server's first hour is forecast by what holds for all servers, not by who it is.
      { ...stretch(real, real.from, select), weight: 1, whole: true },
      ...simulated.map((source) => ({ ...source, weight: tunedShare * source.weight })),
    ]
  : simulated
const steps = Number(values.steps ?? (base ? 300 : 2400))
const chosenBy = [stretch(real, select, report), stretch(heldOut, heldOut.from + 8 * dayMs)]
const isShipped = values.seeds === '1' && !values['no-profiles']
const reported = isShipped ? reportedFleet() : undefined

for (const seed of seeds) {
  const kind = `${base ? 'base-2' : 'base-2-zero-shot'}${values['no-profiles'] ? '-no-profiles' : ''}`
  const name = isShipped ? kind : `${kind}-seed-${seed}`
  const out = isShipped ? values.out : `${values.out}-${seed}`
  const start = base && readModelFolder(isShipped ? base : `${base}-${seed}`, { graphs })
  if (start && 'refused' in start) throw new Error(start.refused)
  let told = 0
  const { manifest } = await trainModel({
    ...{ graphs, out, seed, steps, clock: Date.now },
    id: name,
    parent: start ? start.manifest.id : null,
    ...(start && { start: readWeights(start.folder), peakRate: tunedRate }),
    checkpoints: join(tmpdir(), 'harbinger-base-model', name),
    sources,
    profiles: !values['no-profiles'],
    threads: Number(values.threads),
    validation: chosenBy.map((part) => ({ ...part, weight: 1 })),
    selectOn: reported ? chosenBy : [stretch(heldOut, heldOut.to - dayMs)],
    judgedOn: reported ? [stretch(real, report), stretch(reported, reported.from + 8 * dayMs)] : [],
    patience: Infinity,
    onProgress: (progress) => {
      if (progress.stage === 'training' && progress.judged) {
        const { step, steps: all, loss, etaMs, judged } = progress
        const each = judged.bySource.map((wql) => wql.toFixed(4)).join(' ')
        console.log(
          `${step}/${all} loss ${loss.toFixed(4)} WQL ${each}, ${Math.round(etaMs / 1000)} s left`,
        )
      }
      if (progress.stage === 'judging' && progress.share - told > 0.2) {
        told = progress.share
        console.log(`judged ${Math.round(100 * progress.share)} %`)
      }
    },
  })
  console.log(JSON.stringify({ seed, scores: manifest.scores, serves: manifest.serves }, null, 2))
}
