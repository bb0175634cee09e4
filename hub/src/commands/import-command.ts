import type { Command } from 'commander'
import { readHistory } from '@harbinger/model-training/history/read-history'
import { metricIndex, metricNames } from '@harbinger/shared/metrics'
import { profiles } from '@harbinger/shared/profiles'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { historyImporter } from '../storage/import-history.ts'
import { openStores } from '../storage/stores.ts'
import { progress } from './progress.ts'

type Options = { readonly config?: string; readonly data?: string; readonly json?: boolean }

/** `harbinger import` */
export function importCommand(program: Command, clock: Clock): void {
  program
    .command('import')
    .description('take a history file (Parquet or CSV) into the data of the hub')
    .argument('<file>', 'columns timestamp, server and any of the 14 metrics')
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'report as JSON')
    .action(async (file: string, options: Options) => {
      const config = readConfig({ file: options.config, flags: { 'data.folder': options.data } })
      const bar = progress(`reading ${file}`, clock.now)
      // The file is read to its end once before anything is kept: a mistake in its last row changes nothing.
      for await (const _ of readHistory(file, { onProgress: ({ share }) => bar.at(share / 2) }));

      const stores = openStores(config.dataFolder, config.profileRules)
      const importer = historyImporter(stores, { now: clock.now(), retention: config.retention })
      const began = clock.now()
      let from = Infinity
      let to = -Infinity
      try {
        const values = new Float32Array(metricNames.length)
        const chunks = readHistory(file, {
          onProgress: ({ rows, share }) => bar.at(0.5 + share / 2, `${rows} rows`),
          onWarning: (sentence) => process.stderr.write(`${sentence}\n`),
        })
        for await (const chunk of chunks) {
          const columns = [...chunk.values].map(([name, column]) => ({
            i: metricIndex[name],
            column,
          }))
          values.fill(NaN)
          for (let row = 0; row < chunk.rows; row++) {
            for (const { i, column } of columns) values[i] = column[row]!
            const at = chunk.at[row]!
            if (at < from) from = at
            if (at > to) to = at
            importer.add({
              server: chunk.serverNames[chunk.server[row]!]!,
              ...{ at, values, profile: profiles[chunk.profile[row]! - 1] },
              cores: chunk.cores[row]! || undefined,
            })
          }
        }
        const taken = importer.finish()
        bar.end()
        report({ file, ...taken, from, to, seconds: (clock.now() - began) / 1000 }, options.json)
      } catch (error) {
        importer.abandon()
        throw error
      } finally {
        stores.close()
      }
    })
}

type Report = {
  readonly file: string
  readonly rows: number
  readonly servers: number
  readonly from: number
  readonly to: number
  readonly seconds: number
}

function report({ from, to, ...rest }: Report, asJson = false): void {
  const span = Number.isFinite(from)
    ? { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
    : { from: null, to: null }
  process.stdout.write(
    asJson
      ? `${JSON.stringify({ ...rest, ...span })}\n`
      : `${rest.rows} rows of ${rest.servers} servers taken in, ${span.from} to ${span.to}; ` +
          'a hub that runs on these data shows them after its next start\n',
  )
}
