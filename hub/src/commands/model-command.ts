import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import {
  listModels,
  type ModelFolder,
  readModelFolder,
} from '@harbinger/model-training/model/model-folder'
import { baseModelFolder, graphsFolder } from '@harbinger/model-training/model/shipped'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'

type Options = { readonly config?: string; readonly data?: string; readonly json?: boolean }

/** Where models lie: those made here, and those that came with Harbinger. */
const allModels = (dataFolder: string) => [
  ...listModels(join(dataFolder, 'models'), { graphs: graphsFolder }),
  readModelFolder(baseModelFolder, { graphs: graphsFolder }),
]

/** The folder of a model named by its id or by its folder. Throws with the ids there are. */
export function modelFolderOf(model: string, dataFolder = readConfig().dataFolder): string {
  if (existsSync(join(model, 'manifest.json'))) return model
  const known = allModels(dataFolder)
  const usable = known.filter((found): found is ModelFolder => 'manifest' in found)
  const found = usable.find(({ manifest }) => manifest.id === model)
  if (found) return found.folder
  const ids = usable.map(({ manifest }) => manifest.id).join(', ')
  throw new Error(`no model ${model}; there ${ids ? `are ${ids}` : 'is none yet'}`)
}

/** `harbinger model` */
export function modelCommand(program: Command, _clock: Clock): void {
  program
    .command('model')
    .description('the models there are')
    .command('list')
    .description('models made here and models that came with Harbinger, newest first')
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'as JSON')
    .action((options: Options) => {
      const { dataFolder, modelFolder } = readConfig({
        file: options.config,
        flags: { 'data.folder': options.data },
      })
      const models = allModels(dataFolder)
      const rows = models.map((found) =>
        'refused' in found
          ? { refused: found.refused }
          : {
              id: found.manifest.id,
              kind: found.manifest.kind,
              trainedAt: found.manifest.trainedAt,
              folder: found.folder,
              configured: found.folder === modelFolder,
              scores: found.manifest.scores,
            },
      )
      if (options.json) return void process.stdout.write(`${JSON.stringify({ models: rows })}\n`)
      if (rows.length === 0) process.stdout.write('no model yet: harbinger train makes one\n')
      for (const row of rows) {
        process.stdout.write(
          'refused' in row
            ? `refused  ${row.refused}\n`
            : `${row.id}  ${row.trainedAt}  ${row.folder}${row.configured ? '  configured' : ''}\n`,
        )
      }
    })
}
