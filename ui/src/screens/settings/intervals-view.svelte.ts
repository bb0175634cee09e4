import type { Intervals } from '@harbinger/shared/intervals-api'
import { readIntervals } from '../../live/intervals-api.ts'

const everyMs = 5_000

/** The rules for sampling intervals as the hub tells them; agents that follow are seen by themselves. */
export class IntervalsView {
  intervals = $state.raw<Intervals | null>(null)
  problem = $state<string | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

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
      this.intervals = await readIntervals()
      this.problem = null
    } catch (error) {
      this.problem = `The hub did not answer: ${(error as Error).message}`
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.refresh(), everyMs)
  }
}
