import type { AgentIdentity, EnrolmentTokens } from '@harbinger/shared/enrolment-api'
import { readAgents, readTokens } from '../../live/enrolment-api.ts'

const everyMs = 5_000

/** Tokens and enrolled agents as the hub tells them; a server that joins appears by itself. */
export class EnrolmentView {
  tokens = $state.raw<EnrolmentTokens | null>(null)
  agents = $state.raw<readonly AgentIdentity[]>([])
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
      const [tokens, { agents }] = await Promise.all([readTokens(), readAgents()])
      this.tokens = tokens
      this.agents = agents
      this.problem = null
    } catch (error) {
      this.problem = `The hub did not answer: ${(error as Error).message}`
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.refresh(), everyMs)
  }
}
