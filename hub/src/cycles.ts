import type { Health } from '@harbinger/shared/api'
import type { Log } from './log.ts'

type Cycle = NonNullable<Health['lastCycle']>
type Stage = Exclude<keyof Cycle['ms'], 'total'>

/** What one cycle reports of itself while it runs. */
export type Lap = {
  /**
   * A watch for work that is done one after the other; what goes on beside it has its own. Time since the watch was
   * made, or since its last call, belongs to this stage, or to none. So stages together may take longer than the cycle.
   */
  readonly watch: () => (stage?: Stage) => void
  readonly count: (made: readonly { readonly abstained: string | null }[]) => void
}

export type Cycles = ReturnType<typeof cycles>

/** Runs forecast cycles one at a time, timed by stage; one that falls due while another runs is left out and counted. */
export function cycles(run: (due: number, lap: Lap) => Promise<void>, log: Log) {
  let running: Promise<void> | undefined
  let last: Cycle | null = null
  let skipped = 0
  let failed = 0

  async function timed(due: number): Promise<void> {
    const ms = { window: 0, forecast: 0, risk: 0, commit: 0 }
    const began = performance.now()
    let forecast = 0
    let abstained = 0
    const lap: Lap = {
      count(made) {
        for (const one of made) {
          if (one.abstained === null) forecast++
          else abstained++
        }
      },
      watch() {
        let mark = performance.now()
        return (stage) => {
          const now = performance.now()
          if (stage) ms[stage] += now - mark
          mark = now
        }
      },
    }
    try {
      await run(due, lap)
    } catch (error) {
      failed++
      log.error({ err: error }, 'forecast cycle failed; the forecasts before it stay')
      return
    }
    const rounded = Object.fromEntries(
      Object.entries({ ...ms, total: performance.now() - began }).map(([k, v]) => [
        k,
        Math.round(v * 10) / 10,
      ]),
    ) as Cycle['ms']
    const servers = forecast + abstained
    last = { at: new Date(due).toISOString(), servers, forecast, abstained, ms: rounded }
  }

  return {
    /** Settles when the cycle is through, also when it failed or was left out. */
    start(due: number): Promise<void> {
      if (running) {
        skipped++
        return running
      }
      running = timed(due).finally(() => {
        running = undefined
      })
      return running
    },
    isRunning: (): boolean => running !== undefined,
    last: (): Cycle | null => last,
    counters: () => ({ cyclesSkipped: skipped, cyclesFailed: failed }),
    /** The running one, if any. */
    done: async (): Promise<void> => running,
  }
}
