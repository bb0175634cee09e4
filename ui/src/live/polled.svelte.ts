/** What a page reads from the hub again and again while it is open, because the stream does not tell it. */
export abstract class Polled {
  problem = $state<string | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  /** Asks the hub and keeps what it says. */
  protected abstract read(): Promise<void>
  /** Until it is asked again. */
  protected abstract waitMs(): number

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
      await this.read()
      this.problem = null
    } catch (error) {
      this.problem = `The hub did not answer: ${(error as Error).message}`
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.refresh(), this.waitMs())
  }
}
