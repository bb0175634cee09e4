import type { Command } from 'commander'
import { recompute } from '../accuracy/accuracy.ts'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { openLogToRead } from '../storage/read-forecast-log.ts'
import { instant } from './backtest-command.ts'

type Options = {
  readonly config?: string
  readonly data?: string
  readonly at?: number
  readonly json?: boolean
}

/** `harbinger accuracy` */
export function accuracyCommand(program: Command, _clock: Clock): void {
  program
    .command('accuracy')
    .description('compute the live scorecard again, from the forecast log alone')
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--at <time>', 'as it was after the round of scoring at this time', instant)
    .option('--json', 'as GET /api/v1/accuracy answers, without drift')
    .action(({ config, data, at, json }: Options) => {
      const { dataFolder } = readConfig({ file: config, flags: { 'data.folder': data } })
      const { forecastLog, close } = openLogToRead(dataFolder)
      try {
        const found = recompute(forecastLog, at)
        process.stdout.write(json ? `${JSON.stringify(found)}\n` : summary(found))
      } finally {
        close()
      }
    })
}

const shown = (value: number | null, digits: number): string =>
  value === null ? 'unknown' : value.toFixed(digits)

function summary({ at, windows }: ReturnType<typeof recompute>): string {
  if (at === null) return 'nothing has been scored yet\n'
  const rows = windows.map(({ days, all, byMetric }) =>
    [
      `last ${days === 1 ? 'day' : `${days} days`} up to ${at}: ${all.n} points scored, ${all.unknown} unknown`,
      ...[['all metrics', all] as const, ...Object.entries(byMetric)].map(
        ([name, { n, wql, skill, bestBaseline, coverage80 }]) =>
          `  ${name.padEnd(18)} n ${String(n).padStart(8)}  WQL ${shown(wql, 4)}  skill ${shown(skill, 3)} against ${bestBaseline ?? 'none'}  80 % band held ${shown(coverage80 === null ? null : 100 * coverage80, 1)} %`,
      ),
    ].join('\n'),
  )
  return `${rows.join('\n')}\n`
}
