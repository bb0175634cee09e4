import { metrics, type MetricName } from '@harbinger/shared/metrics'
import type { Manifest } from '@harbinger/shared/model'
import type { BacktestReport, Slice } from '../backtest/report.ts'

/** What a report.json holds: the first backtest, and the others in `also`. */
export type CardReport = Partial<BacktestReport> & {
  readonly also?: readonly Partial<BacktestReport>[]
}

/**
 * The model card (Mitchell et al. 2019) of a model folder as Markdown: what it learnt from, how good it was on what it
 * never saw, where it is bad, and who serves what. Every figure is read from the manifest and the report; what they do
 * not hold is left out, never filled in.
 */
export function toModelCard(manifest: Manifest, report: CardReport): string {
  const { training, trainedOn } = manifest
  const days = (from: string, to: string): string =>
    `${Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000)} days`
  const seen = [report, ...(report.also ?? [])].filter((one) => one.model)
  return [
    `# Model card: ${manifest.id}`,
    `Generated from the model's manifest and report; do not edit.`,
    `| | |\n|---|---|\n${[
      ['kind', `${manifest.kind}, contract ${manifest.contractVersion}`],
      ['definition', `\`${manifest.definition.slice(0, 16)}…\``],
      [
        'trained',
        `${manifest.trainedAt}, seed ${training.seed}, ${training.steps} steps, ${training.minutes} minutes`,
      ],
      ['fine-tuned from', training.parent ?? 'nothing: fresh weights'],
      ['forecasts', `${manifest.metrics.map(labelOf).join(', ')}; 32 steps of 15 minutes`],
    ]
      .map(([what, value]) => `| ${what} | ${value} |`)
      .join('\n')}`,
    `## Learnt from`,
    table(
      ['history', 'servers', 'length', 'kind'],
      trainedOn.map(({ name, servers, from, to, simulated }) => [
        ...[name, String(servers), days(from, to)],
        simulated ? 'simulated' : 'measured',
      ]),
    ),
    ...seen.flatMap((one) => judgement(one)),
    `## Who serves`,
    table(
      ['metric', 'profile', 'served by', 'because'],
      Object.entries(manifest.serves).flatMap(([metric, { contender, reason, profiles = {} }]) => [
        [labelOf(metric), 'all others', contender, reason],
        ...Object.entries(profiles).map(([profile, choice]) => [
          ...[labelOf(metric), profile, choice.contender, choice.reason],
        ]),
      ]),
    ),
  ].join('\n\n')
}

function judgement(report: Partial<BacktestReport>): string[] {
  const { model, skill, byMetric = {}, byHorizon = {}, byHistory = {}, baselines = {} } = report
  const worst = Object.entries(byMetric)
    .filter(([, { ratio }]) => ratio !== null && ratio > 1)
    .map(([name]) => labelOf(name))
  const interval = skill ? ` (95 % interval ${percent(skill.low)} to ${percent(skill.high)})` : ''
  return [
    `## On ${report.history}, ${report.from} to ${report.to}`,
    `${report.windows} windows from ${report.origins} origins. Weighted quantile loss ${number(model!.wql)}, ` +
      `${number(report.wqlRatio)} of the best baseline (${report.bestBaseline}); skill ${percent(skill?.figure)}${interval}. ` +
      `Its raw 80 % band held ${percent(model!.coverage80)} of the readings; median MASE ${number(model!.medianMase)}.`,
    worst.length > 0
      ? `Worse than the best baseline on: ${worst.join(', ')}.`
      : 'Not worse than the best baseline on any metric.',
    table(
      ['contender', 'weighted quantile loss', 'within its 80 % band'],
      [[model!.id, model!], ...Object.entries(baselines)].map(([name, scores]) => [
        String(name),
        ...[scores as { wql: number | null; coverage80: number | null }].flatMap((s) => [
          number(s.wql),
          percent(s.coverage80),
        ]),
      ]),
    ),
    slices('metric', byMetric, labelOf),
    slices('horizon', byHorizon),
    slices('length of history', byHistory),
  ]
}

const slices = (
  what: string,
  parts: { readonly [name: string]: Slice },
  label: (name: string) => string = (name) => name,
): string =>
  table(
    [what, 'loss', 'best baseline', 'ratio', 'within the 80 % band'],
    Object.entries(parts).map(([name, { model, bestBaseline, ratio, coverage80 }]) => [
      ...[label(name), number(model), bestBaseline ?? '–', number(ratio), percent(coverage80)],
    ]),
  )

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const labelOf = (name: string): string => metrics[name as MetricName]?.label ?? name
const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toPrecision(3)
const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${(100 * value).toFixed(1)} %`
