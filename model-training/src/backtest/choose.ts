import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import { networkMetricNames } from '@harbinger/shared/metrics'
import type { Choice, Manifest } from '@harbinger/shared/model'
import { isProfile } from '@harbinger/shared/profiles'
import type { BacktestReport, Slice } from './report.ts'

/** A profile has a choice of its own from so many windows of so many servers on. */
export const enough = { windows: 200, servers: 3 } as const

/**
 * The best contender of each metric by backtests on days that are not reported on, the one that counts most first: the
 * first that has the metric decides. A metric that the model never learnt is served by the best baseline.
 */
export function chooseContenders(
  selections: readonly BacktestReport[],
  learnt: readonly string[],
): Manifest['serves'] {
  return Object.fromEntries(
    networkMetricNames.map((metric) => {
      const isLearnt = learnt.includes(metric)
      const report = selections.find(({ byMetric }) => byMetric[metric])
      const served = best(report?.byMetric[metric], { isLearnt, of: report })
      const profiles = Object.entries(report?.byProfileAndMetric ?? {}).flatMap(
        ([profile, byMetric]) => {
          const slice = byMetric[metric]
          if (!isProfile(profile) || !slice || !isEnough(slice)) return []
          return [[profile, best(slice, { isLearnt, of: report, profile })] as const]
        },
      )
      return [
        metric,
        profiles.length > 0 ? { ...served, profiles: Object.fromEntries(profiles) } : served,
      ]
    }),
  )
}

const isEnough = ({ windows, servers }: Slice): boolean =>
  windows >= enough.windows && servers >= enough.servers

type Of = {
  readonly isLearnt: boolean
  readonly of: BacktestReport | undefined
  readonly profile?: string
}

function best(slice: Slice | undefined, { isLearnt, of, profile }: Of): Choice {
  const contender = (slice?.bestBaseline ?? 'seven-day-mean-level') as BaselineName
  const loss = slice?.baselines[contender]
  if (!slice || !of || loss == null) {
    const reason = isLearnt
      ? 'nothing was measured to choose a contender by'
      : 'not in the training data'
    return { contender: 'seven-day-mean-level', reason }
  }
  const where = profile ? ` on servers of ${profile}` : ''
  const when = `on ${of.history} from ${of.from.slice(0, 10)} to ${of.to.slice(0, 10)}${where}`
  if (!isLearnt || slice.model === null) {
    return {
      contender,
      reason: `not in the training data; ${when} the best baseline, weighted quantile loss ${loss.toFixed(4)}`,
    }
  }
  return {
    contender: slice.model <= loss ? 'model' : contender,
    reason: `weighted quantile loss ${when}: model ${slice.model.toFixed(4)}, ${contender} ${loss.toFixed(4)}`,
  }
}
