import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import {
  listModels,
  type ModelFolder,
  readModelFolder,
} from '@harbinger/model-training/model/model-folder'
import { baseModelFolder, graphsFolder } from '@harbinger/model-training/model/shipped'
import type { ModelCard, Models } from '@harbinger/shared/models-api'
import type { Clock } from '../clock.ts'
import { type Config, readConfig } from '../config.ts'
import { modelCard, modelsAnswer } from '../models/answers.ts'
import { exportModel, importModel } from '../models/carry-model.ts'
import { openRegistryAlone } from '../models/open-registry-alone.ts'
import type { Registry } from '../models/registry.ts'
import { askHub, runningHub } from '../models/running-hub.ts'
import { cardText, modelsText } from './model-text.ts'

type Options = { readonly config?: string; readonly data?: string; readonly json?: boolean }

/** The folder of a model named by its id or by its folder. Throws with the ids there are. */
export function modelFolderOf(model: string, dataFolder = readConfig().dataFolder): string {
  if (existsSync(join(model, 'manifest.json'))) return model
  const known = [
    ...listModels(join(dataFolder, 'models'), { graphs: graphsFolder }),
    readModelFolder(baseModelFolder, { graphs: graphsFolder }),
  ]
  const usable = known.filter((found): found is ModelFolder => 'manifest' in found)
  const found = usable.find(({ manifest }) => manifest.id === model)
  if (found) return found.folder
  const ids = usable.map(({ manifest }) => manifest.id).join(', ')
  throw new Error(`no model ${model}; there ${ids ? `are ${ids}` : 'is none yet'}`)
}

const read = ({ config, data }: Options): Config =>
  readConfig({ file: config, flags: { 'data.folder': data } })

/** Does something with the registry of a data folder, and closes it. */
async function withRegistry<Answer>(
  config: Config,
  clock: Clock,
  work: (registry: Registry) => Answer | Promise<Answer>,
): Promise<Answer> {
  const { registry, close } = openRegistryAlone(config, clock.now)
  try {
    return await work(registry)
  } finally {
    close()
  }
}

const print = (json: boolean | undefined, answer: unknown, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(answer)}\n` : text)

/** `harbinger model` */
export function modelCommand(program: Command, clock: Clock): void {
  const model = program.command('model').description('the models there are, and which serves')
  const add = (name: string, description: string): Command =>
    model
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration of the hub')
      .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
      .option('--json', 'as JSON')

  add('list', 'which model serves and why, the others, and what was decided').action(
    async (options: Options) => {
      const config = read(options)
      const hub = await runningHub(config.dataFolder)
      const pinned = config.modelFolder !== baseModelFolder
      const models = hub
        ? await askHub<Models>(hub, '/models')
        : await withRegistry(config, clock, (registry) =>
            modelsAnswer(registry, { promotesItself: false, pinned, now: clock.now() }),
          )
      print(options.json, models, modelsText(models))
    },
  )

  add('show', 'the report card of a model: scores, who serves what, conditions of a promotion')
    .argument('<id>')
    .action(async (id: string, options: Options) => {
      const config = read(options)
      const hub = await runningHub(config.dataFolder)
      const card = hub
        ? await askHub<ModelCard>(hub, `/models/${encodeURIComponent(id)}`)
        : await withRegistry(config, clock, (registry) => modelCard(registry, id))
      if (!card) throw new Error(`there is no model ${id}; harbinger model list shows them`)
      print(options.json, card, cardText(card))
    })

  add('promote', 'put a model into service; every condition must hold, or --force says why not')
    .argument('<id>')
    .option('--force <reason>', 'although conditions do not hold; the reason is kept')
    .action(async (id: string, options: Options & { force?: string }) => {
      const config = read(options)
      const { force } = options
      const hub = await runningHub(config.dataFolder)
      const done = hub
        ? await askHub<Done>(hub, `/models/${encodeURIComponent(id)}/promote`, { force })
        : checked(
            await withRegistry(config, clock, (registry) =>
              registry.promote(id, { by: 'operator', force }),
            ),
          )
      print(
        options.json,
        done,
        `${done.id} serves${hub ? '' : ' from the next start of the hub'}: ${done.reason}\n`,
      )
    })

  add('rollback', 'back to the model that served before')
    .option('--reason <text>', 'kept with the decision', 'asked for by an operator')
    .action(async (options: Options & { reason: string }) => {
      const config = read(options)
      const { reason } = options
      const hub = await runningHub(config.dataFolder)
      const done = hub
        ? await askHub<Done>(hub, '/models/rollback', { reason })
        : checked(
            await withRegistry(config, clock, (registry) =>
              registry.rollback({ by: 'operator', reason }),
            ),
          )
      print(options.json, done, `${done.id} serves again\n`)
    })

  add('export', 'write a model into one file, for a hub elsewhere')
    .argument('<id>')
    .argument('<file>', 'a .tar that is not there yet')
    .action((id: string, file: string, options: Options) => {
      const folder = modelFolderOf(id, read(options).dataFolder)
      const found = readModelFolder(folder, { graphs: graphsFolder })
      if ('refused' in found) throw new Error(found.refused)
      exportModel(found, file)
      print(options.json, { id, file: resolve(file) }, `model ${id} is in ${file}\n`)
    })

  add('import', 'take a model from a file; it is checked, and becomes a challenger')
    .argument('<file>', 'as harbinger model export wrote it')
    .action(async (file: string, options: Options) => {
      const config = read(options)
      const id = await withRegistry(config, clock, (registry) => {
        const { manifest } = importModel(file, registry.folder)
        const reason = `from the file ${file}`
        registry.added(manifest.id, { kind: 'imported', by: 'operator', reason })
        return manifest.id
      })
      print(options.json, { id }, `model ${id} is here; harbinger model show ${id} says more\n`)
    })
}

type Done = { readonly id: string; readonly reason: string }

function checked(done: Done | { readonly refused: string }): Done {
  if ('refused' in done) throw new Error(done.refused)
  return { id: done.id, reason: done.reason }
}
