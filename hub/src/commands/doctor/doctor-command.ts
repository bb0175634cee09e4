import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import {
  failed,
  type Finding,
  findingsText,
  fine,
  isWell,
  notChecked,
} from '@harbinger/shared/findings'
import type { Clock } from '../../clock.ts'
import { type Config, readConfig } from '../../config.ts'
import { lookAtDatabase } from '../../storage/look-at-database.ts'
import { databaseFile } from '../../storage/stores.ts'
import type { Asked } from './asked.ts'
import { examineBroker } from './examine-broker.ts'
import { examineData } from './examine-data.ts'
import { examineModel } from './examine-model.ts'
import { examinePorts } from './examine-ports.ts'
import { examineClock, examineMemory, examineService, nodeVersion } from './examine-system.ts'
import { examineTls } from './examine-tls.ts'
import { findHub } from './find-hub.ts'

type Options = {
  readonly config?: string
  readonly data?: string
  readonly full?: boolean
  readonly json?: boolean
}

/** With what is left of 15 s when the rest took its time. */
const databaseMs = 4_000
const hourMs = 3_600_000

/** `harbinger doctor` */
export function doctorCommand(program: Command, clock: Clock): void {
  program
    .command('doctor')
    .description('find what keeps the hub from its work, and say what to do; disturbs nothing')
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--full', 'take the time to look at the whole database and to wait for slow devices')
    .option('--json', 'as JSON')
    .action(async (options: Options) => {
      const findings = await examine(options, clock)
      if (options.json) process.stdout.write(`${JSON.stringify(findings)}\n`)
      else process.stdout.write(`${findingsText(findings)}\n`)
      const wrong = findings.filter(({ level }) => level === 'failed')
      if (!isWell(findings)) throw new Error(`${wrong.length} of ${findings.length} checks failed`)
    })
}

/** Everything that must be so for this hub to do its work, in the order in which one would look. */
async function examine(options: Options, clock: Clock): Promise<Finding[]> {
  let config: Config
  try {
    config = readConfig({ file: options.config, flags: { 'data.folder': options.data } })
  } catch (error) {
    return [nodeVersion(), ...withoutConfig((error as Error).message)]
  }
  const file = databaseFile(config.dataFolder)
  const isFull = options.full === true
  const [hub, database] = await Promise.all([
    findHub(config.dataFolder),
    existsSync(file) ? lookAtDatabase(file, { ms: isFull ? hourMs : databaseMs }) : undefined,
  ])
  const asked: Asked = { config, now: clock.now(), isFull, hub, database }
  const [ports, broker, time] = await Promise.all([
    examinePorts(asked),
    examineBroker(asked),
    examineClock(asked),
  ])
  return [
    ...[nodeVersion(), fine('configuration', config.file ?? 'no file, defaults and environment')],
    ...[...examineService(asked), ...examineData(asked), examineMemory(asked)],
    ...[...time, ...ports, ...broker, ...examineTls(asked), ...(await examineModel(asked))],
  ]
}

/** Each mistake on a line of its own. */
function withoutConfig(message: string): Finding[] {
  const [, ...mistakes] = message.split('\n').map((line) => line.trim())
  const file = [join('.harbinger', 'hub.yaml'), '/etc/harbinger/hub.yaml'].find((path) =>
    existsSync(path),
  )
  const advice = `correct what is named${file === undefined ? '' : ` (in ${file}, unless --config names another)`}; man harbinger-hub.yaml has every setting. Then: systemctl restart harbinger-hub`
  return [
    failed('configuration', mistakes.join('\n') || message, advice),
    ...[
      'service',
      'data folder',
      'disk space',
      'database',
      'port for fleet view',
      'TLS',
      'model',
      'device',
    ].map((check) => notChecked(check, 'the configuration has mistakes')),
  ]
}
