import { parityBound } from '@harbinger/model-training/promotion/measure-run'
import type { Interval } from '@harbinger/model-training/backtest/bootstrap'
import type { Comparison } from '../training/training-messages.ts'

/** One condition of a promotion, with the figure that decided. What cannot be evaluated is unknown, and blocks. */
export type Condition = {
  readonly name: string
  readonly state: 'holds' | 'fails' | 'unknown'
  /** What was found, in words with figures. */
  readonly found: string
  /** What is asked for. */
  readonly needs: string
}

/** Of the 80 % band, as the calibration aims at it. */
export const coverageBand = [0.77, 0.83] as const
/** 1,000 servers in the 4 s of a cycle. */
const latencyBarMs = 4
/** Two models of one network differ by what else the machine did meanwhile. */
const latencySlack = 1.25

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const range = ({ figure, low, high }: Interval): string =>
  `${percent(figure)} (95 % interval ${percent(low)} to ${percent(high)})`

const judged = (holds: boolean | null, found: string) =>
  ({ state: holds === null ? 'unknown' : holds ? 'holds' : 'fails', found }) as const

/** The conditions under which a challenger may take the place of the model that serves. */
export function gateConditions(
  comparison: Comparison | undefined,
  champion: string | null,
): readonly Condition[] {
  const why = unusable(comparison, champion)
  if (why !== undefined || !comparison || 'impossible' in comparison) {
    return Object.entries(needs).map(([name, needs]) => ({
      ...{ name, needs },
      ...judged(null, why ?? 'not measured'),
    }))
  }
  const { gain, coverage80, recall, unknownProfile, run } = comparison
  const found: { readonly [name in keyof typeof needs]: Pick<Condition, 'state' | 'found'> } = {
    'skill gain': judged(
      gain && gain.low > 0,
      gain
        ? `${range(gain)} on ${comparison.windows} windows of ${comparison.servers} servers`
        : 'no window could be scored',
    ),
    coverage: judged(
      coverage80.challenger === null
        ? null
        : coverage80.challenger >= coverageBand[0] && coverage80.challenger <= coverageBand[1],
      coverage80.challenger === null ? 'nothing was scored' : percent(coverage80.challenger),
    ),
    recall: judged(
      recall.challenger !== null && recall.champion !== null
        ? recall.challenger >= recall.champion
        : null,
      recall.challenger !== null && recall.champion !== null
        ? `${percent(recall.challenger)}, the champion ${percent(recall.champion)}, of ${recall.incidents} incidents of ${recall.of}`
        : 'there was no incident to foresee',
    ),
    latency: judged(
      run.challenger.msPerWindow <= Math.max(latencyBarMs, latencySlack * run.champion.msPerWindow),
      `${run.challenger.msPerWindow} ms per window, the champion ${run.champion.msPerWindow}`,
    ),
    parity: judged(
      run.challenger.difference <= parityBound && run.challenger.sound,
      run.challenger.sound
        ? `largest difference ${run.challenger.difference}`
        : 'some numbers are none, or quantiles are out of order',
    ),
    'unknown profile': judged(
      unknownProfile && unknownProfile.figure >= 0,
      unknownProfile ? `skill gain ${range(unknownProfile)}` : 'no window could be scored',
    ),
  }
  return Object.entries(needs).map(([name, needs]) => ({
    ...{ name, needs },
    ...found[name as keyof typeof found],
  }))
}

const needs = {
  'skill gain': 'the lower bound of its gain over the champion is above 0, on days it never saw',
  coverage: `the 80 % band holds ${100 * coverageBand[0]} to ${100 * coverageBand[1]} % of what came`,
  recall: 'foresees no fewer incidents than the champion at 0.02 false alarms per server-day',
  latency: `at most ${latencyBarMs} ms per window, or a quarter more than the champion`,
  parity: `alone or in a batch it says the same to ${parityBound}`,
  'unknown profile': 'where the profile is hidden it is no worse than the champion is there',
} as const

function unusable(comparison: Comparison | undefined, champion: string | null): string | undefined {
  if (!comparison) return 'it was never compared with the model that serves'
  if ('impossible' in comparison) return `it could not be compared: ${comparison.impossible}`
  if (champion === null) return 'no model serves to compare it with'
  if (comparison.champion === champion) return undefined
  return `it was compared with ${comparison.champion}, but ${champion} serves now`
}

export const holdsAll = (conditions: readonly Condition[]): boolean =>
  conditions.every(({ state }) => state === 'holds')

/** What stands in the way, in one sentence. */
export const standsInTheWay = (conditions: readonly Condition[]): string =>
  conditions
    .filter(({ state }) => state !== 'holds')
    .map(
      ({ name, state, found }) => `${name} ${state === 'fails' ? 'fails' : 'is unknown'}: ${found}`,
    )
    .join('; ')
