import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openModels } from '../backtest/open-models.ts'
import { ablateProfiles, type ProfileReport } from '../backtest/profile-ablation.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { graphsFolder } from '../model/shipped.ts'
import { trainModel } from '../train/run-train.ts'
import type { Source } from '../train/training-set.ts'
import type { BenchFigure } from './train-bench.ts'

export type ProfilesBench = {
  readonly small: boolean
  /** Model folders of several seeds, to judge instead of training them here. */
  readonly models?: readonly string[] | undefined
  readonly withoutProfiles?: readonly string[] | undefined
  /** Of each training; default 600, small 3. */
  readonly steps?: number | undefined
  /** How many seeds are trained of each kind; default 5, small 1. */
  readonly seeds?: number | undefined
  readonly clock: () => number
  readonly at: string
}

const dayMs = 86_400_000
const startAt = Date.UTC(2025, 8, 1)

/** What profiles are worth, and whether a model that is not told the profile is as good as one that knows of none. */
export async function benchProfiles(options: ProfilesBench): Promise<readonly BenchFigure[]> {
  const { small, clock, at, steps = small ? 3 : 600, seeds = small ? 1 : 5 } = options
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-profiles-'))
  try {
    const given = options.models && options.withoutProfiles
    const withFolders = given
      ? options.models
      : await trainSeeds(folder, { steps, seeds, small, clock })
    const withoutFolders = given
      ? options.withoutProfiles
      : await trainSeeds(folder, { steps, seeds, small, clock, profiles: false })
    const withProfiles = await openModels(withFolders!)
    const without = await openModels(withoutFolders!)
    // Other servers than those learnt from.
    const servers = small ? 14 : 60
    const days = small ? 3 : 11
    const history = simulatedHistory({ seed: 6006, servers, days, startAt: startAt + 40 * dayMs })
    const report = await ablateProfiles({
      ...{ history, clock, from: history.to - (small ? 1 : 3) * dayMs, to: history.to },
      ...{ every: small ? 600 : 460 },
      ...{ withProfiles: withProfiles.models, without: without.models },
    })
    await withProfiles.close()
    await without.close()
    const conditions = {
      ...{ cores: availableParallelism(), device: 'cpu', node: process.version, at },
      ...{ history: history.name, servers, origins: report.origins },
      ...{ seeds: report.seeds.withProfiles.length, steps: given ? 'as trained' : steps },
    }
    return report.gates.map((gate) => ({
      name: `unknown profile against no profiles, ${gate.history} of history`,
      ...{ figure: gate.ratio, unit: '× WQL', ok: gate.ok, conditions },
      bar: `≤ 1 within ${gate.tolerance.toFixed(3)}, what seeds and servers move it by`,
      beside: besideOf(report, gate.history),
    }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** WQL of each condition against none. */
const besideOf = ({ byHistory }: ProfileReport, history: string) =>
  Object.fromEntries(
    Object.entries(byHistory[history]!).map(([condition, { againstNone }]) => [
      condition,
      againstNone?.figure ?? null,
    ]),
  )

type Training = {
  readonly steps: number
  readonly seeds: number
  readonly small: boolean
  readonly profiles?: boolean
  readonly clock: () => number
}

/** The same simulated fleets for all, seed by seed. */
async function trainSeeds(folder: string, training: Training): Promise<readonly string[]> {
  const { small, seeds, profiles = true, steps, clock } = training
  const size = small ? { servers: 14, days: 2 } : { servers: 90, days: 14 }
  const history = simulatedHistory({ ...size, seed: 6001, startAt })
  const other = simulatedHistory({ ...size, seed: 6002, startAt: startAt + 20 * dayMs })
  const judged = { history: other, from: other.to - dayMs / 2, to: other.to }
  const source: Source = { history, weight: 1, from: history.from, to: history.to }
  const folders: string[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const id = `${profiles ? 'profiles' : 'none'}-${seed}`
    const out = join(folder, id)
    await trainModel({
      ...{ id, out, seed, steps, clock, profiles, graphs: graphsFolder, parent: null },
      ...{ sources: [source], validation: [{ ...judged, weight: 1 }] },
      // Only weights are wanted here: nobody is served, nothing reported.
      ...{ selectOn: [], judgedOn: [], judgedWindows: small ? 32 : 640 },
    })
    folders.push(out)
  }
  return folders
}
