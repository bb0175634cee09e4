/** Time as the agent sees it; handed down from main.ts, so that tests can move it. */
export type Clock = {
  /** Wall clock, ms since epoch. */
  now(): number
  /** Never steps: for rates and waiting. */
  monotonicMs(): number
  /** Calls back once after `delayMs`; the answer cancels it. */
  after(delayMs: number, callback: () => void): () => void
}
