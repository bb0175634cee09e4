import type { AgentIdentity, EnrolmentTokens } from '@harbinger/shared/enrolment-api'
import { readAgents, readTokens } from '../../live/enrolment-api.ts'
import { Polled } from '../../live/polled.svelte.ts'

/** Tokens and enrolled agents as the hub tells them; a server that joins appears by itself. */
export class EnrolmentView extends Polled {
  tokens = $state.raw<EnrolmentTokens | null>(null)
  agents = $state.raw<readonly AgentIdentity[]>([])

  protected async read(): Promise<void> {
    const [tokens, { agents }] = await Promise.all([readTokens(), readAgents()])
    this.tokens = tokens
    this.agents = agents
  }

  protected waitMs(): number {
    return 5_000
  }
}
