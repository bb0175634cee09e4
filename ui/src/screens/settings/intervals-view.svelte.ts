import type { Intervals } from '@harbinger/shared/intervals-api'
import { readIntervals } from '../../live/intervals-api.ts'
import { Polled } from '../../live/polled.svelte.ts'

/** The rules for sampling intervals as the hub tells them; agents that follow are seen by themselves. */
export class IntervalsView extends Polled {
  intervals = $state.raw<Intervals | null>(null)

  protected async read(): Promise<void> {
    this.intervals = await readIntervals()
  }

  protected waitMs(): number {
    return 5_000
  }
}
