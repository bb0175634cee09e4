import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Scenario } from '@harbinger/shared/api'
import type { Log } from '../log.ts'
import type { DemoFleet } from './demo-history.ts'

const patienceMs = 10_000
const pauseMs = 5000

/** The simulated fleet as a process of its own, which speaks MQTT like any agent and ends with the hub. */
export function demoFleet(log: Log) {
  let scenario: Scenario = 'healthy'
  let child: ReturnType<typeof fork> | undefined
  let stopping = false

  const start = (fleet: DemoFleet, mqttPort: number): void => {
    child = fork(
      fileURLToPath(new URL('../main.ts', import.meta.url)),
      [
        ...['simulate', '--json', '--servers', String(fleet.servers), '--seed', String(fleet.seed)],
        ...['--hub', `mqtt://127.0.0.1:${mqttPort}`, '--scenario', scenario],
      ],
      // A group of its own: Ctrl-C is for the hub, which then stops the fleet in order.
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true },
    )
    child.once('exit', (code, signal) => {
      child = undefined
      if (stopping) return
      log.warn({ code, signal }, 'the simulated fleet ended; it is started again')
      setTimeout(() => stopping || start(fleet, mqttPort), pauseMs)
    })
  }

  return {
    start,
    scenario: (): Scenario => scenario,
    /** Settles when the fleet shows it. */
    async set(next: Scenario): Promise<void> {
      if (!child?.connected) throw new Error('the simulated fleet is not running just now')
      child.send({ scenario: next })
      await once(child, 'message', { signal: AbortSignal.timeout(patienceMs) })
      scenario = next
    },
    async stop(): Promise<void> {
      stopping = true
      if (!child) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}
