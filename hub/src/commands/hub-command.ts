import type { Command } from 'commander'
import { pino } from 'pino'
import type { Clock } from '../clock.ts'
import { type Config, printConfig, readConfig } from '../config.ts'
import { openHub } from '../hub.ts'
import type { Log } from '../log.ts'
import { openStores } from '../storage/stores.ts'
import { demoFleet } from './demo-fleet.ts'
import { backfillDemo } from './demo-history.ts'
import { progress } from './progress.ts'
import { untilStopped } from './signals.ts'

type Options = {
  readonly config?: string
  readonly port?: string
  readonly mqttPort?: string
  readonly data?: string
  readonly model?: string
  readonly demo?: string
  readonly printConfig?: boolean
}

/** `harbinger hub` */
export function hubCommand(program: Command, clock: Clock): void {
  program
    .command('hub')
    .description('run the hub: hear agents, forecast, serve the fleet view')
    .option('--config <file>', 'configuration (.harbinger/hub.yaml, /etc/harbinger/hub.yaml)')
    .option('--port <port>', 'where the fleet view is served (8080)')
    .option('--mqtt-port <port>', 'where agents connect (1883)')
    .option('--data <folder>', 'where data are kept (.harbinger/data)')
    .option('--model <folder>', 'the model that forecasts (the one that came with Harbinger)')
    .option('--demo <servers>', 'also run a simulated fleet with history, labelled as simulated')
    .option('--print-config', 'show the settings in force, secrets masked, and end')
    .action(async (options: Options) => {
      const config = readConfig({
        file: options.config,
        flags: {
          'http.port': options.port,
          'mqtt.port': options.mqttPort,
          'data.folder': options.data,
          'model.folder': options.model,
          'demo.servers': options.demo,
        },
      })
      if (options.printConfig) process.stdout.write(`${printConfig(config)}\n`)
      else await runHub(config, clock)
    })
}

async function runHub(config: Config, clock: Clock): Promise<void> {
  const log = pino({ level: config.logLevel })
  const stopped = untilStopped()
  const isDemo = config.demo.servers > 0
  if (isDemo) fillDemoHistory(config, clock, log)
  const demo = isDemo ? demoFleet(log) : undefined
  const hub = await openHub(config, { clock, log, ...(demo ? { demo } : {}) })
  if (hub.localMqttPort !== undefined) demo?.start(config.demo, hub.localMqttPort)
  const { address, mqttPort } = hub
  log.info({ address, ...(mqttPort === undefined ? {} : { mqttPort }) }, 'the hub is up')
  log.info({ signal: await stopped }, 'stopping')
  await demo?.stop()
  await hub.close()
  log.info({}, 'stopped')
}

function fillDemoHistory(config: Config, clock: Clock, log: Log): void {
  const stores = openStores(config.dataFolder, config.profileRules)
  const bar = progress('history of the simulated fleet', clock.now)
  const began = clock.now()
  const { rows, servers } = backfillDemo(stores, config.demo, {
    now: clock.now(),
    retention: config.retention,
    onProgress: bar.at,
  })
  bar.end()
  stores.close()
  log.info({ rows, servers, ms: clock.now() - began }, 'the simulated fleet has a past')
}
