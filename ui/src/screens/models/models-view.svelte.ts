import type { Models, Trainings } from '@harbinger/shared/models-api'
import { readModels, readTrainings } from '../../live/models-api.ts'

const runningMs = 1000
const idleMs = 15_000

/** Models and trainings as the hub tells them; asked for every second while one is being trained. */
export class ModelsView {
  models = $state.raw<Models | null>(null)
  trainings = $state.raw<Trainings | null>(null)
  problem = $state<string | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  readonly current = $derived(
    this.trainings?.trainings.find(({ state }) => state === 'running' || state === 'waiting'),
  )

  start(): () => void {
    void this.refresh()
    return () => {
      this.#stopped = true
      clearTimeout(this.#timer)
    }
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      const [models, trainings] = await Promise.all([readModels(), readTrainings()])
      this.models = models
      this.trainings = trainings
      this.problem = null
    } catch (error) {
      this.problem = `The hub did not answer: ${(error as Error).message}`
    }
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.refresh(), this.current ? runningMs : idleMs)
  }
}
