import { availableParallelism } from 'node:os'
import { minuteMs } from '@harbinger/shared/window/series'
import { collect, originsOf } from '../backtest/collect.ts'
import { criticalRules } from '../backtest/incident-rules.ts'
import { openIncidentScore, type RuleScore } from '../backtest/incidents.ts'
import type { ContenderIncidents, Group } from '../backtest/score-incidents.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { readModelFolder } from '../model/model-folder.ts'
import { baseModelFolder, graphsFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { causeFinder } from '../simulator/cause.ts'
import type { BenchFigure } from './train-bench.ts'

type Options = {
  /** A fleet just large enough to see that the bench works. */
  readonly small?: boolean
  readonly model?: string
  readonly clock: () => number
  /** The instant that the figures carry. */
  readonly at: string
}

/** Not among the seeds that anything was trained, fitted or tried out on (11–13, 77, 78, 201–204, 301–303). */
const seed = 401
const budget = '0.02'
/** With a fault a server every three days; at the usual 0.05 both incidents and false alarms are six times rarer. */
const faultsPerServerDay = 0.3
const dayMs = 24 * 60 * minuteMs
/** Days before the first forecast, as last week is an input. */
const warmUpDays = 8

/**
 * How well incidents of simulated faults are foreseen whose kinds and courses no training and no fit has seen. The
 * figures are those of one level of alerting: the one that foresees most within 0.02 false alarms per server-day.
 */
export async function benchIncidents(options: Options): Promise<readonly BenchFigure[]> {
  const { small = false, model = baseModelFolder, clock, at } = options
  const fleet = {
    ...{ seed, servers: small ? 30 : 90, startAt: Date.UTC(2025, 4, 5) },
    ...{ faultsPerServerDay, heldOutFaults: true },
  }
  const days = small ? 1 : 4
  const every = small ? 60 : 15
  const found = readModelFolder(model, { graphs: graphsFolder })
  if ('refused' in found) throw new Error(found.refused)
  const inference = await openInference(found.folder)
  const history = simulatedHistory({ ...fleet, days: warmUpDays + days, stepMinutes: 1 })
  const origins = originsOf(history, {
    ...{ from: history.from + warmUpDays * dayMs, to: history.to, every },
  })
  const score = openIncidentScore(history, criticalRules, {
    causeOf: causeFinder(fleet, history.to),
  })
  await collect({
    ...{ history, origins, clock, baselines: [], shortenEvery: 0 },
    models: [{ id: found.manifest.id, inference }],
    onForecast: score.add,
  })
  await inference.close()
  const all = score.report()['all']
  if (!all) throw new Error('no metric with a limit was measured')
  return figuresOf(all, {
    ...{ cores: availableParallelism(), device: 'cpu', node: process.version, seed, at },
    ...{ model: found.manifest.id, servers: fleet.servers, days, everyMinutes: every },
    ...{ faultsPerServerDay, incidents: all.n, novel: all.novel },
  })
}

function figuresOf(all: RuleScore, conditions: BenchFigure['conditions']): BenchFigure[] {
  const slow = all.groups['slow']
  const causes = Object.entries(all.groups).filter(([name]) => name.startsWith('cause '))
  const rivals = Object.entries(all.contenders)
  return [
    {
      ...{ name: `slow incidents foreseen at ${budget} false alarms per server-day` },
      ...toFigure(slow?.recall ?? null, { unit: 'of those that came', bar: 0.7 }),
      beside: {
        ...groups(all, ['slow', 'sudden', 'novel', 'recurrent', 'slow novel', 'slow recurrent']),
        ...Object.fromEntries(rivals.map(([name, rival]) => [name, text(rival.groups['slow'])])),
      },
      conditions,
    },
    {
      name: 'alerts that an incident followed, at the same level',
      ...toFigure(all.precision, { unit: 'of the alerts', bar: 0.8 }),
      beside: {
        ...{ alerts: all.alerts, falsePerServerDay: all.falseAlarmsPerServerDay ?? 'unknown' },
        ...{ averagePrecision: all.averagePrecision ?? 'unknown', raise: all.raise ?? 'none' },
        ...Object.fromEntries(
          Object.entries(all.recallAt).map(([at, recall]) => [
            `recallOfAllAt${at}`,
            recall ?? 'none came',
          ]),
        ),
        ...Object.fromEntries(rivals.map(([name, rival]) => [name, rivalText(rival)])),
      },
      conditions,
    },
    {
      name: 'median lead of slow incidents foreseen, at the same level',
      ...toFigure(slow?.leadMinutes.p50 ?? null, { unit: 'min', bar: 60 }),
      beside: { p10: slow?.leadMinutes.p10 ?? 'none', p90: slow?.leadMinutes.p90 ?? 'none' },
      conditions,
    },
    ...causes.map(([name, group]) => ({
      name: `foreseen at the same level, ${name}`,
      ...{ figure: group.recall ?? 0, unit: 'of those that came', bar: 'none', ok: true },
      beside: { incidents: group.n, medianLeadMinutes: group.leadMinutes.p50 ?? 'none' },
      conditions,
    })),
  ]
}

/** What cannot be told is not reached: the figure is 0 and the bar fails. */
const toFigure = (figure: number | null, { unit, bar }: { unit: string; bar: number }) => ({
  ...{ figure: figure ?? 0, unit, bar: `≥ ${bar}` },
  ok: figure !== null && figure >= bar,
})

const text = (group: Group | undefined): string =>
  group ? `${group.foreseen} of ${group.n}` : 'none came'

const groups = (of: ContenderIncidents, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, text(of.groups[name])]))

const rivalText = ({ precision, alerts, averagePrecision }: ContenderIncidents): string =>
  `${precision ?? 'no alert'} of ${alerts}, average precision ${averagePrecision ?? 'unknown'}`
