import type { Scope, SessionAnswer } from '@harbinger/shared/people-api'
import { lookWhoWeAre } from './hub-api.ts'
import { readSession } from './people-api.ts'

const againMs = 2000
const needs = { read: 'viewer', operate: 'operator', admin: 'admin' } as const
const rank = ['viewer', 'operator', 'admin'] as const

/** Who the viewer is to the hub, and so what there is to see and to press. */
export class Session {
  #answer = $state.raw<SessionAnswer | null>(null)
  /** The hub has not answered yet, and why. */
  problem = $state<string | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  get answer(): SessionAnswer | null {
    return this.#answer
  }

  get caller(): SessionAnswer['caller'] {
    return this.#answer?.caller ?? null
  }

  /** Why something cannot be done with this role; null when it can. The hub decides; this saves a vain click. */
  mayNot(scope: Scope): string | null {
    const role = this.caller?.role
    if (role === undefined) return 'Log in first'
    const needed = needs[scope]
    if (rank.indexOf(role) >= rank.indexOf(needed)) return null
    return `This needs the role ${needed}; yours is ${role}`
  }

  /** After logging in or out the hub says at once who somebody is now. */
  set(answer: SessionAnswer): void {
    this.#answer = answer
  }

  start(): () => void {
    const look = () => void this.refresh()
    addEventListener(lookWhoWeAre, look)
    look()
    return () => {
      removeEventListener(lookWhoWeAre, look)
      clearTimeout(this.#timer)
    }
  }

  /** A hub that does not answer has not logged anybody out. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      this.#answer = await readSession()
      this.problem = null
    } catch (error) {
      this.problem = (error as Error).message
      if (this.#answer === null) this.#timer = setTimeout(() => void this.refresh(), againMs)
    }
  }
}
