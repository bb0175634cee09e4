import type { Explanation, WhatIf, WhatIfRequest } from '@harbinger/shared/explanation'
import type { MetricName } from '@harbinger/shared/metrics'
import { askWhatIf, readExplanation } from '../../live/hub-api.ts'

/** A question to the hub and its last answer; a newer question makes the older one moot. */
class Asked<Answer> {
  answer = $state.raw<Answer | null>(null)
  problem = $state<string | null>(null)
  busy = $state(false)
  #abort = new AbortController()

  protected async put(ask: (signal: AbortSignal) => Promise<Answer>): Promise<void> {
    this.#abort.abort()
    const own = (this.#abort = new AbortController())
    this.busy = true
    try {
      this.answer = await ask(own.signal)
      this.problem = null
    } catch (error) {
      if (own.signal.aborted) return
      this.answer = null
      this.problem = (error as Error).message
    } finally {
      if (own === this.#abort) this.busy = false
    }
  }

  close(): void {
    this.#abort.abort()
  }
}

/** Why a server is forecast as it is; asked when somebody looks, because each answer is a run of the model. */
export class Why extends Asked<Explanation> {
  ask(name: string, metric: MetricName | undefined): Promise<void> {
    return this.put((signal) => readExplanation(name, metric, signal))
  }
}

export class Supposition extends Asked<WhatIf> {
  ask(name: string, request: WhatIfRequest): Promise<void> {
    return this.put((signal) => askWhatIf(name, request, signal))
  }
}
