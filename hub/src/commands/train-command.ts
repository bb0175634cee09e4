import { availableParallelism } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { modelId } from '@harbinger/model-training/model/manifest'
import { readModelFolder } from '@harbinger/model-training/model/model-folder'
import { graphsFolder } from '@harbinger/model-training/model/shipped'
import type { Clock } from '../clock.ts'
import { type Config, readConfig } from '../config.ts'
import { holdsAll, standsInTheWay } from '../models/gate.ts'
import { openRegistryAlone } from '../models/open-registry-alone.ts'
import { startTraining } from '../training/start-training.ts'
import type { HistoryChoice, TrainingProgress, TrainJob } from '../training/training-messages.ts'
import { modelFolderOf } from './model-command.ts'
import { progress } from './progress.ts'
import { untilStopped } from './signals.ts'
import { aNumber } from './simulate-command.ts'

type Options = {
  readonly history?: string
  readonly simulated?: boolean
  readonly out?: string
  readonly fineTune?: boolean
  readonly from?: string
  readonly minutes?: number
  readonly steps?: number
  readonly seed: number
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

/** `harbinger train` */
export function trainCommand(program: Command, clock: Clock): void {
  program
    .command('train')
    .description(
      'train a model, judge it on days it did not see, and compare it with the one that serves',
    )
    .option(
      '--history <file>',
      'Parquet or CSV; without it, what the hub of the data folder measured',
    )
    .option(
      '--fine-tune',
      'go on from the model that serves; without it the training starts afresh',
    )
    .option('--from <model>', 'go on from this model, by id or folder')
    .option(
      '--simulated',
      'without --history: simulated servers may stand in where there is no other',
    )
    .option('--out <folder>', 'the model folder to write (models/ in the data folder)')
    .option('--minutes <n>', 'how long to train (training.minutes, 30)', aNumber(0.01))
    .option('--steps <n>', 'how many steps to train', aNumber(1))
    .option('--seed <n>', 'of all that is drawn', aNumber(0), 7)
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'report as JSON')
    .action(async (options: Options) => {
      const config = readConfig({ file: options.config, flags: { 'data.folder': options.data } })
      const { registry, close } = openRegistryAlone(config, clock.now)
      try {
        const serving = registry.serving().folder
        const job = toJob(options, { config, now: clock.now(), serving })
        const { folder, id, comparison, peakMemoryMb } = await follow(job, clock)
        const isOurs = dirname(resolve(folder)) === resolve(registry.folder)
        if (isOurs) {
          const reason = `trained on the command line on ${options.history ?? 'own history'}`
          registry.added(id, { kind: 'trained', by: 'operator', reason })
          if (comparison) registry.judged(id, comparison)
        }
        const conditions = isOurs ? registry.conditions(id) : []
        const found = readModelFolder(folder, { graphs: graphsFolder })
        if ('refused' in found) throw new Error(found.refused)
        const { manifest } = found
        if (options.json) {
          const report = { folder, manifest, comparison, conditions, peakMemoryMb }
          return void process.stdout.write(`${JSON.stringify(report)}\n`)
        }
        const { wql, wqlRatio } = manifest.scores
        process.stdout.write(
          `model ${id} is in ${folder}: WQL ${wql?.toFixed(4) ?? 'unknown'}, ` +
            `${wqlRatio?.toFixed(3) ?? 'unknown'} × that of the best baseline; ${peakMemoryMb} MB of memory at most\n` +
            (!isOurs
              ? ''
              : holdsAll(conditions)
                ? `it may be promoted: harbinger model promote ${id}\n`
                : `not to be promoted yet: ${standsInTheWay(conditions)}\n`),
        )
      } finally {
        close()
      }
    })
}

function toJob(
  options: Options,
  {
    config,
    now,
    serving,
  }: { readonly config: Config; readonly now: number; readonly serving: string },
): TrainJob {
  const { seed, steps } = options
  const out = resolve(options.out ?? join(config.dataFolder, 'models', modelId(now, seed)))
  const history: HistoryChoice =
    options.history === undefined
      ? {
          ...{ kind: 'own', folder: resolve(config.dataFolder), until: now },
          ...{ minuteDays: config.retention.minuteDays, profileRules: config.profileRules },
          simulated: options.simulated === true,
        }
      : { kind: 'file', file: options.history }
  const base =
    options.from === undefined
      ? options.fineTune
        ? serving
        : undefined
      : modelFolderOf(options.from, config.dataFolder)
  return {
    ...{ task: 'train', id: basename(out), out, checkpoints: `${out}.checkpoints`, history },
    ...{ base, champion: serving, seed, steps },
    minutes: steps === undefined ? (options.minutes ?? config.training.minutes) : undefined,
    threads: Math.min(2, availableParallelism()),
  }
}

/** Trains in a process of its own and shows how far it is; Ctrl-C ends it, and the same command goes on from there. */
async function follow(job: TrainJob, clock: Clock) {
  const bar = progress('training', clock.now)
  const running = startTraining(job, {
    onProgress: (made) => bar.at(shareOf(made), made.stage),
    onWarning: (sentence) => process.stderr.write(`${sentence}\n`),
  })
  void untilStopped().then(running.stop)
  try {
    return await running.finished
  } finally {
    bar.end()
  }
}

const shareOf = (made: TrainingProgress): number =>
  made.stage === 'training' ? made.step / made.steps : made.share
