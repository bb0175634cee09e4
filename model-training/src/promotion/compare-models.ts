import { type Interval, ratioInterval, toSkill } from '../backtest/bootstrap.ts'
import { collect, originsOf, type Progress } from '../backtest/collect.ts'
import { criticalRules } from '../backtest/incident-rules.ts'
import { openIncidentScore } from '../backtest/incidents.ts'
import { coverage80, wql } from '../backtest/score.ts'
import { figure } from '../backtest/slice.ts'
import { scoreOf, serversOf, type Tally } from '../backtest/tally.ts'
import type { FleetHistory } from '../history/fleet-history.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { readModelFolder } from '../model/model-folder.ts'
import { type Inference, openInference } from '../onnx/inference.ts'
import { calibratedInference } from './calibrated.ts'
import { measureRun, type RunMeasure } from './measure-run.ts'

/** False alarms per server-day at which the recall of two models is compared. */
export const recallBudget = '0.02'

export type Pair = { readonly challenger: number | null; readonly champion: number | null }

/** What a challenger and the champion did on the same origins. Figures have six digits, null is "nothing to score". */
export type ModelComparison = {
  readonly challenger: string
  readonly champion: string
  readonly history: string
  readonly simulated: boolean
  readonly from: string
  readonly to: string
  readonly origins: number
  readonly windows: number
  readonly servers: number
  readonly wql: Pair
  /** 1 − WQL(challenger) / WQL(champion), 95 % interval over servers (paired); above 0 the challenger is better. */
  readonly gain: Interval | null
  readonly coverage80: Pair
  /** Share of incidents foreseen at the budget, and of how many; of the simulated fleet where the own had none. */
  readonly recall: Pair & { readonly incidents: number; readonly of: string }
  /** The same gain with the profile hidden from both. */
  readonly unknownProfile: Interval | null
  readonly run: { readonly challenger: RunMeasure; readonly champion: RunMeasure }
}

export type CompareOptions = {
  readonly history: FleetHistory
  /** Origins from here on, with what followed until `to`: days that the challenger never learnt from. */
  readonly from: number
  readonly to: number
  /** Model folders. */
  readonly challenger: string
  readonly champion: string
  readonly graphs: string
  /** Minutes between origins; default 60. */
  readonly every?: number
  readonly threads?: number | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly clock: () => number
}

/** Held-out fault shapes, that no model learnt from: 19 incidents, enough to tell a model that has become blind. */
const heldOut = {
  ...{
    seed: 907,
    servers: 14,
    days: 3,
    stepMinutes: 5,
    heldOutFaults: true,
    faultsPerServerDay: 1,
  },
  startAt: Date.UTC(2025, 5, 2),
} as const
/** Fewer incidents than this say nothing of a recall. */
const fewIncidents = 5

/** Judges two models on the very same windows. The reason when one of them cannot be run here. */
export async function compareModels(
  options: CompareOptions,
): Promise<ModelComparison | { readonly impossible: string }> {
  const { history, from, to, graphs, threads = 2, every = 60 } = options
  const folders = [options.challenger, options.champion].map((folder) =>
    readModelFolder(folder, { graphs }),
  )
  const refused = folders.find((found) => 'refused' in found)
  if (refused && 'refused' in refused) return { impossible: refused.refused }
  const [challenger, champion] = folders.flatMap((found) => ('manifest' in found ? [found] : []))
  const ids = [challenger!.manifest.id, champion!.manifest.id] as const
  const opened: Inference[] = []
  for (const { folder, calibration } of [challenger!, champion!]) {
    opened.push(calibratedInference(await openInference(folder, { threads }), calibration))
  }
  const [first, second] = opened as [Inference, Inference]
  let rounds = 0
  async function judge(
    on: FleetHistory,
    at: { readonly from: number; readonly to: number; readonly every: number },
    { inference, hide = false }: { readonly inference: Inference; readonly hide?: boolean },
  ) {
    const incidents = openIncidentScore(on, criticalRules)
    const origins = originsOf(on, at)
    const collected = await collect({
      ...{ history: on, models: [{ id: '', inference }], baselines: [], origins },
      ...{ shortenEvery: 0, unknownProfile: hide, clock: options.clock },
      onForecast: hide ? undefined : incidents.add,
      onProgress: ({ share, etaMs }) =>
        options.onProgress?.({ share: Math.min(1, (rounds + share) / 6), etaMs }),
    } as Parameters<typeof collect>[0])
    rounds++
    const { all } = collected.models[0]!.contender
    return { all, windows: collected.windows, origins: origins.length, incidents }
  }
  try {
    const known = { from, to, every }
    const ours = await judge(history, known, { inference: first })
    const theirs = await judge(history, known, { inference: second })
    const hidden = { ...known, every: 4 * every }
    const oursHidden = await judge(history, hidden, { inference: first, hide: true })
    const theirsHidden = await judge(history, hidden, { inference: second, hide: true })
    const scores = [scoreOf(ours.all), scoreOf(theirs.all)] as const
    return {
      ...{ challenger: ids[0], champion: ids[1], history: history.name },
      simulated: history.simulated,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      ...{ origins: ours.origins, windows: ours.windows, servers: serversOf(ours.all).length },
      wql: { challenger: figure(wql(scores[0])), champion: figure(wql(scores[1])) },
      gain: gainOf(ours.all, theirs.all),
      coverage80: {
        challenger: figure(coverage80(scores[0])),
        champion: figure(coverage80(scores[1])),
      },
      recall: await recalls(),
      unknownProfile: gainOf(oursHidden.all, theirsHidden.all),
      run: { challenger: await measureRun(first), champion: await measureRun(second) },
    }

    async function recalls(): Promise<ModelComparison['recall']> {
      const own = recallOf(ours, theirs, history.name)
      if (own.incidents >= fewIncidents) return own
      const fleet = simulatedHistory(heldOut)
      const at = { from: fleet.from + 86_400_000, to: fleet.to, every: 60 }
      const made = [
        await judge(fleet, at, { inference: first }),
        await judge(fleet, at, { inference: second }),
      ] as const
      const found = recallOf(...made, 'a simulated fleet with held-out faults')
      return found.incidents >= fewIncidents ? found : own
    }
  } finally {
    for (const inference of opened) await inference.close()
  }
}

const gainOf = (ours: Tally, theirs: Tally): Interval | null => {
  const ratio = serversOf(ours).length > 0 ? ratioInterval([ours], [theirs]) : undefined
  return ratio ? toSkill(ratio) : null
}

type Judged = { readonly incidents: ReturnType<typeof openIncidentScore> }

function recallOf(ours: Judged, theirs: Judged, of: string): ModelComparison['recall'] {
  const [challenger, champion] = [ours, theirs].map(({ incidents }) => incidents.report()['all'])
  return {
    challenger: challenger?.recallAt[recallBudget] ?? null,
    champion: champion?.recallAt[recallBudget] ?? null,
    incidents: challenger?.n ?? 0,
    of,
  }
}
