import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Scenario, scenarios } from '@harbinger/model-training/simulator/fleet'
import type { Clock } from '../clock.ts'
import { publishFleet } from './simulate-publish.ts'
import { untilStopped } from './signals.ts'

type Options = {
  readonly servers: number
  readonly speed: number
  readonly scenario?: Scenario
  readonly seed: number
  readonly hub: string
  readonly interval: number
  readonly sharedConnection?: boolean
  readonly json?: boolean
}

export const aNumber =
  (from: number, to = Infinity) =>
  (text: string): number => {
    const value = Number(text)
    if (!(value >= from && value <= to)) {
      throw new InvalidArgumentError(
        `expected a number from ${from}${to < Infinity ? ` to ${to}` : ''}`,
      )
    }
    return value
  }

/** `harbinger simulate` */
export function simulateCommand(program: Command, clock: Clock): void {
  program
    .command('simulate')
    .description('publish a simulated fleet over MQTT, to this hub or any broker, until stopped')
    .option('--servers <n>', 'how many servers', aNumber(1, 20_000), 90)
    .option('--speed <factor>', 'how many times faster than the clock it lives', aNumber(0.01), 1)
    .addOption(new Option('--scenario <name>', 'what it shows').choices([...scenarios]))
    .option('--seed <n>', 'another seed, another fleet', aNumber(0), 7)
    .option('--hub <url>', 'where to publish', 'mqtt://127.0.0.1:1883')
    .option('--interval <seconds>', 'between samples of a server', aNumber(0.1, 300), 10)
    .option('--shared-connection', 'one connection for all servers (this machine only)')
    .option('--json', 'report what was sent as JSON at the end')
    .action(async (options: Options) => {
      const stopped = untilStopped()
      const fleet = await publishFleet({
        ...options,
        scenario: options.scenario,
        intervalMs: options.interval * 1000,
        shared: options.sharedConnection ?? false,
        now: clock.now,
      })
      listenToParent(fleet)
      if (!options.json)
        process.stderr.write(`${options.servers} simulated servers speak to ${options.hub}\n`)
      await Promise.race([stopped, parentGone()])
      await fleet.close()
      const { sent, acknowledged } = fleet.counters()
      const report = { servers: options.servers, sent, acknowledged }
      if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
    })
}

/** A hub that runs a demo tells its fleet what to show. */
function listenToParent(fleet: { setScenario: (scenario: Scenario) => void }): void {
  process.on('message', (message: { scenario?: Scenario }) => {
    if (!message.scenario || !scenarios.includes(message.scenario)) return
    fleet.setScenario(message.scenario)
    process.send?.({ shows: message.scenario })
  })
}

const parentGone = (): Promise<void> =>
  new Promise((resolve) => void process.once('disconnect', () => resolve()))
