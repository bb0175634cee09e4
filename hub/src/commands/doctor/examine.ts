import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { failed, type Finding, fine, notChecked } from '@harbinger/shared/findings'
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

export type Wanted = {
  readonly config?: string
  readonly data?: string
  /** Without a limit of time. */
  readonly full?: boolean
  /** For tests; default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/** With what is left of 15 s when the rest took its time. */
const databaseMs = 4_000
const hourMs = 3_600_000

/** Everything that must be so for this hub to do its work, in the order in which one would look. */
export async function examine(wanted: Wanted, now: number): Promise<Finding[]> {
  let config: Config
  try {
    config = readConfig({
      file: wanted.config,
      flags: { 'data.folder': wanted.data },
      ...(wanted.env && { env: wanted.env }),
    })
  } catch (error) {
    return [nodeVersion(), ...withoutConfig((error as Error).message)]
  }
  const file = databaseFile(config.dataFolder)
  const isFull = wanted.full === true
  const [hub, database] = await Promise.all([
    findHub(config.dataFolder),
    existsSync(file) ? lookAtDatabase(file, { ms: isFull ? hourMs : databaseMs }) : undefined,
  ])
  const asked: Asked = { config, now, isFull, hub, database }
  const [ports, broker, time, model] = await Promise.all([
    examinePorts(asked),
    examineBroker(asked),
    examineClock(asked),
    examineModel(asked),
  ])
  return [
    ...[nodeVersion(), fine('configuration', config.file ?? 'no file, defaults and environment')],
    ...[...examineService(asked), ...examineData(asked), examineMemory(asked)],
    ...[...time, ...ports, ...broker, ...examineTls(asked), ...model],
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
