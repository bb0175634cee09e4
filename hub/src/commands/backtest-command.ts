import { writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { runBacktest } from '@harbinger/model-training/backtest/run-backtest'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { modelFolderOf } from './model-command.ts'
import { progress } from './progress.ts'
import { aNumber } from './simulate-command.ts'

type Options = {
  readonly history: string
  readonly model?: readonly string[]
  readonly withoutProfiles?: readonly string[]
  readonly missingMetrics?: boolean
  readonly from?: number
  readonly every: number
  readonly json?: string | true
}

export const instant = (text: string): number => {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new InvalidArgumentError('expected a time like 2026-01-31T00:00:00Z')
  return at
}

/** `harbinger backtest` */
export function backtestCommand(program: Command, clock: Clock): void {
  program
    .command('backtest')
    .description('judge a model and the baselines by what they would have forecast')
    .requiredOption('--history <file>', 'Parquet or CSV')
    .option(
      '--model <id>',
      'model id or folder (the configured model), again for each further seed of it; "none": only baselines',
      (id: string, before: readonly string[] = []) => [...before, id],
    )
    .option(
      '--without-profiles <id>',
      'a model trained without profiles, again for each seed: adds what profiles are worth',
      (id: string, before: readonly string[] = []) => [...before, id],
    )
    .option('--missing-metrics', 'adds how the model does where servers lack metrics')
    .option('--from <time>', 'score from here on; earlier rows are history only', instant)
    .option('--every <minutes>', 'between the moments forecast from', aNumber(1), 60)
    .option('--json [file]', 'write the report as JSON, to a file or to the screen')
    .action(async ({ model, json, ...options }: Options) => {
      const bar = progress('backtest', clock.now)
      const report = await runBacktest({
        ...options,
        model: modelToJudge(model?.[0]),
        otherSeeds: model?.slice(1).map((id) => modelFolderOf(id)) ?? [],
        withoutProfiles: options.withoutProfiles?.map((id) => modelFolderOf(id)) ?? [],
        clock: clock.now,
        onWarning: (sentence) => process.stderr.write(`${sentence}\n`),
        onProgress: ({ stage, share }) => bar.at(share, stage),
      })
      bar.end()
      const text = `${JSON.stringify(report, null, 2)}\n`
      if (typeof json === 'string') writeFileSync(json, text)
      if (json === true) process.stdout.write(text)
      else process.stdout.write(summary(report))
    })
}

function modelToJudge(model: string | undefined): string | undefined {
  if (model === undefined) return readConfig().modelFolder
  return model === 'none' ? undefined : modelFolderOf(model)
}

const shown = (value: number | null, digits: number): string =>
  value === null ? 'unknown' : value.toFixed(digits)

/** How sure the skill is, servers resampled. */
const interval = (skill: Report['skill']): string => {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  return skill
    ? `, skill ${percent(skill.figure)} (95 % from ${percent(skill.low)} to ${percent(skill.high)})`
    : ''
}

type Report = Awaited<ReturnType<typeof runBacktest>>

function summary(report: Report): string {
  const { model, seeds, skill, baselines, bestBaseline, wqlRatio, windows } = report
  const models = seeds?.models ?? (model ? [model] : [])
  const rows = [
    ...models.map((scores) => [`model ${scores.id}`, scores] as const),
    ...Object.entries(baselines).map(([name, scores]) => [name, scores] as const),
  ]
  return [
    `${windows} windows`,
    ...rows.map(([name, { wql, coverage80 }]) => {
      const mark = name === bestBaseline ? '  best baseline' : ''
      return `${name.padEnd(32)} WQL ${shown(wql, 4)}  80 % band holds ${shown(coverage80 === null ? null : 100 * coverage80, 1)} %${mark}`
    }),
    ...(model && wqlRatio
      ? [`model / best baseline ${wqlRatio.toFixed(3)}${interval(skill)}`]
      : []),
    ...(seeds?.wqlRatio
      ? [
          `mean of ${models.length} seeds / best baseline ${seeds.wqlRatio.figure.toFixed(3)}${interval(seeds.skill)}`,
        ]
      : []),
    '',
  ].join('\n')
}
