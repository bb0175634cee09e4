/** The only place that asks what time it is. Ticks once a second, so that every age on the screen moves together. */
export class Clock {
  #offsetMs = 0
  #now = $state(Date.now())
  /** Moves every ten seconds: enough for "silent for 7 min" on a thousand cells. */
  #coarse = $state(Date.now())

  /** Milliseconds since epoch by the hub's clock as far as it is known. */
  get now(): number {
    return this.#now
  }

  get coarse(): number {
    return this.#coarse
  }

  /** How far the viewer's clock is from the hub's; 0 until it is known or while it does not matter. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  /** A viewer whose clock is wrong by minutes would read wrong ages; the `Date` header has a resolution of 1 s. */
  correctBy(hubAt: number): void {
    const offset = hubAt - Date.now()
    this.#offsetMs = Math.abs(offset) < 30_000 ? 0 : offset
    this.#tick()
  }

  #tick(): void {
    this.#now = Date.now() + this.#offsetMs
    if (Math.abs(this.#now - this.#coarse) >= 10_000) this.#coarse = this.#now
  }

  start(): () => void {
    const timer = setInterval(() => this.#tick(), 1000)
    return () => clearInterval(timer)
  }
}
