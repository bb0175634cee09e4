import { resolve } from 'node:path'
import { baseModelFolder } from '@harbinger/model-training/model/shipped'
import type { Config } from '../config.ts'
import type { Forecaster } from '../forecast/forecaster.ts'
import type { Log } from '../log.ts'
import type { HubStores } from '../storage/stores.ts'
import { openTrainings } from '../training/trainings.ts'
import { modelCard, modelsAnswer, trainingAnswer, trainingsAnswer } from './answers.ts'
import { modelsRoom } from './models-room.ts'
import { openRegistry } from './registry.ts'
import { openShadow } from './shadow.ts'

/** The registry of a data folder; `model.folder` in the configuration pins one model. */
export const registryOf = (
  config: Pick<Config, 'dataFolder' | 'modelFolder'>,
  { models }: Pick<HubStores, 'models'>,
  now: () => number,
) =>
  openRegistry({
    ...{ dataFolder: resolve(config.dataFolder), models, now },
    pinned: config.modelFolder === baseModelFolder ? undefined : resolve(config.modelFolder),
  })

export type OpenModels = ReturnType<typeof openModels>

/** Everything about models on a running hub: registry, shadow, trainings, and what the view may ask of them. */
export function openModels({
  config,
  stores,
  registry,
  forecaster,
  isDemo,
  now,
  log,
}: {
  readonly config: Config
  readonly stores: Omit<HubStores, 'close'>
  readonly registry: ReturnType<typeof registryOf>
  readonly forecaster: Pick<Forecaster, 'reload'>
  readonly isDemo: boolean
  readonly now: () => number
  readonly log: Log
}) {
  const promotesItself = config.training.promote === 'auto'
  const shadow = openShadow({ stores, registry, now, log })
  const room = modelsRoom({ registry, shadow, forecaster, promotesItself, now, log })
  const trainings = openTrainings({
    ...{ store: stores.trainings, registry, limits: config.training, isDemo, now, log },
    dataFolder: resolve(config.dataFolder),
    minuteDays: config.retention.minuteDays,
    profileRules: config.profileRules,
  })
  const pinned = config.modelFolder !== baseModelFolder
  let work: Promise<void> = Promise.resolve()

  return {
    shadow,
    trainings,
    problems: room.problems,
    /** Once a minute. */
    tick(at: number): void {
      trainings.tick(at)
      work = work
        .then(() => room.tick(at))
        .catch((error: unknown) => log.error({ err: error }, 'looking after models failed'))
    },
    /** What the view may ask. */
    sources: {
      models: () =>
        modelsAnswer(registry, { shadow: shadow.figures(), promotesItself, pinned, now: now() }),
      model: (id: string) => modelCard(registry, id),
      promote: room.promote,
      rollback: room.rollback,
      trainings: () => trainingsAnswer(trainings),
      training(id: number) {
        const row = trainings.find(id)
        return row && trainingAnswer(trainings, row)
      },
      train(asked: { readonly from?: string; readonly minutes?: number; readonly steps?: number }) {
        const { detail = 'asked for by an operator', ...rest } = asked as { detail?: string }
        const row = trainings.request({ ...rest, reason: 'operator', detail })
        return 'refused' in row ? row : trainingAnswer(trainings, row)
      },
      cancelTraining(id: number) {
        const row = trainings.cancel(id)
        return row && trainingAnswer(trainings, row)
      },
    },
    idle: async (): Promise<void> => {
      await work
      await shadow.idle()
    },
    async close(): Promise<void> {
      await trainings.close()
      await work
      await shadow.close()
    },
  }
}
