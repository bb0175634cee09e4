import { join } from 'node:path'
import type { Command } from 'commander'
import { type RunTrainProgress, runTrain } from '@harbinger/model-training/train/run-train'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { progress } from './progress.ts'
import { untilStopped } from './signals.ts'
import { aNumber } from './simulate-command.ts'

type Options = {
  readonly history: string
  readonly out?: string
  readonly base?: string
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
    .description('train a model on a history file and judge it on the days it did not see')
    .requiredOption('--history <file>', 'Parquet or CSV')
    .option('--out <folder>', 'the model folder to write (models/ in the data folder)')
    .option('--base <folder>', 'a model to go on from; without it the training starts afresh')
    .option('--minutes <n>', 'how long to train (10)', aNumber(0.01))
    .option('--steps <n>', 'how many steps to train', aNumber(1))
    .option('--seed <n>', 'of all that is drawn', aNumber(0), 7)
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'report as JSON')
    .action(async ({ json, out, data, config: file, ...options }: Options) => {
      const { dataFolder } = readConfig({ file, flags: { 'data.folder': data } })
      let stopping = false
      void untilStopped().then(() => (stopping = true))
      const bar = progress('training', clock.now)
      const { folder, manifest, report } = await runTrain({
        ...options,
        out:
          out ?? join(dataFolder, 'models', new Date(clock.now()).toISOString().replace(/\D/g, '')),
        clock: clock.now,
        stopped: () => stopping,
        onWarning: (sentence) => process.stderr.write(`${sentence}\n`),
        onProgress: (made) => bar.at(shareOf(made), made.stage),
      })
      bar.end()
      const { model, bestBaseline, wqlRatio } = report
      process.stdout.write(
        json
          ? `${JSON.stringify({ folder, manifest, report })}\n`
          : `model ${manifest.id} is in ${folder}: WQL ${model?.wql?.toFixed(4)}, ` +
              `${wqlRatio?.toFixed(3)} × that of the best baseline (${bestBaseline})\n`,
      )
    })
}

const shareOf = (made: RunTrainProgress): number => ('share' in made ? made.share : 0)
