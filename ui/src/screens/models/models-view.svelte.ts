import type { Models, Trainings } from '@harbinger/shared/models-api'
import { readModels, readTrainings } from '../../live/models-api.ts'
import { Polled } from '../../live/polled.svelte.ts'

const runningMs = 1000
const idleMs = 15_000

/** Models and trainings as the hub tells them; asked for every second while one is being trained. */
export class ModelsView extends Polled {
  models = $state.raw<Models | null>(null)
  trainings = $state.raw<Trainings | null>(null)

  readonly current = $derived(
    this.trainings?.trainings.find(({ state }) => state === 'running' || state === 'waiting'),
  )

  protected async read(): Promise<void> {
    const [models, trainings] = await Promise.all([readModels(), readTrainings()])
    this.models = models
    this.trainings = trainings
  }

  protected waitMs(): number {
    return this.current ? runningMs : idleMs
  }
}
