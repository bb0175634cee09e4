import type { FleetHistory } from '../history/fleet-history.ts'
import { type Interval, ratioInterval } from './bootstrap.ts'
import { collect, type Model, originsOf } from './collect.ts'
import { tell, type Telling, tellings } from './restrict.ts'
import { wql } from './score.ts'
import { figure } from './slice.ts'
import { histories } from './slices.ts'
import { scoreOf, type Tally } from './tally.ts'

export type AblationOptions = {
  /** Servers of known profile; a history without profiles has nothing to take away. */
  readonly history: FleetHistory
  readonly from: number
  readonly to: number
  /** Minutes between origins. */
  readonly every: number
  /** Seeds of one training with profiles, and of the same training without. */
  readonly withProfiles: readonly Model[]
  readonly without: readonly Model[]
  readonly seed?: number
  readonly onProgress?: ((share: number) => void) | undefined
  readonly clock: () => number
}

/** `none` is a model that never learnt of profiles; the others are told what their name says. */
export type Condition = 'none' | Telling

export type AblationCell = {
  /** Mean over the seeds, and the smallest and largest of them. */
  readonly wql: number | null
  readonly least: number | null
  readonly most: number | null
  /** Mean WQL over that of `none`, seeds and servers resampled; below 1 is better than without profiles. */
  readonly againstNone: Interval | null
}

export type AblationGate = {
  readonly history: string
  /** WQL of `unknown` over that of `none`. */
  readonly ratio: number
  /** What the drawing of seeds and servers alone moves it by: the ratio less the lower end of its interval. */
  readonly tolerance: number
  readonly ok: boolean
}

export type ProfileReport = {
  readonly history: string
  readonly from: string
  readonly to: string
  readonly origins: number
  readonly seeds: { readonly withProfiles: readonly string[]; readonly without: readonly string[] }
  readonly byHistory: {
    readonly [length: string]: { readonly [condition in Condition]: AblationCell }
  }
  /** A model that is not told the profile must be no worse than one that never learnt of profiles. */
  readonly gates: readonly AblationGate[]
  readonly ok: boolean
}

/** What profiles are worth, by what the model is told of them and by how much history it has. */
export async function ablateProfiles(options: AblationOptions): Promise<ProfileReport> {
  const { history, from, to, every, withProfiles, without, seed = 1, clock } = options
  if (!history.servers.some(({ profile }) => profile)) {
    throw new Error(`${history.name}: no server has a profile, so there is nothing to take away`)
  }
  if (withProfiles.length === 0 || without.length === 0) {
    throw new Error('the ablation takes at least one model with profiles and one without')
  }
  const origins = originsOf(history, { from, to, every })
  const runs: readonly { condition: Condition; models: readonly Model[]; fleet: FleetHistory }[] = [
    { condition: 'none', models: without, fleet: tell(history, 'unknown', seed) },
    ...tellings.map((condition) => {
      return { condition, models: withProfiles, fleet: tell(history, condition, seed) }
    }),
  ]
  const tallies = new Map<Condition, readonly (readonly Tally[])[]>()
  for (const [done, { condition, models, fleet }] of runs.entries()) {
    const made = await collect({
      ...{ history: fleet, models, origins, clock },
      ...{ baselines: [], shortenEvery: 1, onlyShortened: true },
      onProgress: ({ share }) => options.onProgress?.((done + share) / runs.length),
    })
    tallies.set(
      condition,
      made.models.map(({ contender }) => contender.byHistory),
    )
  }
  const at = (condition: Condition, length: number): readonly Tally[] =>
    tallies.get(condition)!.map((byHistory) => byHistory[length]!)
  const gates = histories.flatMap(({ name }, length) => {
    const found = ratioInterval(at('unknown', length), at('none', length), { models: true, seed })
    return found ? [gateOf(name, found)] : []
  })
  return {
    history: history.name,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    origins: origins.length,
    seeds: {
      withProfiles: withProfiles.map(({ id }) => id),
      without: without.map(({ id }) => id),
    },
    byHistory: Object.fromEntries(
      histories.map(({ name }, length) => [
        name,
        Object.fromEntries(
          runs.map(({ condition }) => [
            condition,
            toCell(at(condition, length), at('none', length), seed),
          ]),
        ) as { [condition in Condition]: AblationCell },
      ]),
    ),
    gates,
    ok: gates.length > 0 && gates.every(({ ok }) => ok),
  }
}

function toCell(ours: readonly Tally[], none: readonly Tally[], seed: number): AblationCell {
  const each = ours.map((tally) => wql(scoreOf(tally)))
  const found = ratioInterval(ours, none, { models: true, seed })
  return {
    wql: figure(each.reduce((a, b) => a + b, 0) / each.length),
    least: figure(Math.min(...each)),
    most: figure(Math.max(...each)),
    againstNone: found
      ? { figure: figure(found.figure)!, low: figure(found.low)!, high: figure(found.high)! }
      : null,
  }
}

function gateOf(history: string, { figure: ratio, low }: Interval): AblationGate {
  const tolerance = ratio - low
  return {
    history,
    ratio: figure(ratio)!,
    tolerance: figure(tolerance)!,
    ok: ratio - tolerance <= 1,
  }
}
