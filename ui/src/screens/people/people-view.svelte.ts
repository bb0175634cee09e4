import type { ApiToken, User } from '@harbinger/shared/people-api'
import { readApiTokens, readUsers } from '../../live/people-api.ts'

/** Users and API tokens as the hub tells them. */
export class PeopleView {
  users = $state.raw<readonly User[] | null>(null)
  apiTokens = $state.raw<readonly ApiToken[] | null>(null)
  problem = $state<string | null>(null)
  busy = $state(false)

  async refresh(): Promise<void> {
    try {
      const [{ users }, { apiTokens }] = await Promise.all([readUsers(), readApiTokens()])
      this.users = users
      this.apiTokens = apiTokens
    } catch (error) {
      this.problem = (error as Error).message
    }
  }

  /** Does something and looks again; undefined when it was refused, with the hub's words in `problem`. */
  async does<Answer>(work: () => Promise<Answer>): Promise<Answer | undefined> {
    this.busy = true
    this.problem = null
    try {
      const answer = await work()
      await this.refresh()
      return answer
    } catch (error) {
      this.problem = (error as Error).message
      return undefined
    } finally {
      this.busy = false
    }
  }
}
