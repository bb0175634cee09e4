import type { Log } from '../log.ts'
import type { Forecaster } from '../forecast/forecaster.ts'
import { holdsAll, standsInTheWay } from './gate.ts'
import type { Registry } from './registry.ts'
import type { Shadow, ShadowFigures } from './shadow.ts'

export type ModelsRoom = ReturnType<typeof modelsRoom>

const hourMs = 3_600_000
/** A challenger is promoted by the hub itself after so long in the shadow, with so many points compared. */
export const shadowHours = 24
export const shadowPoints = 200
/** Figures are made anew once in so long. */
const compareEveryMs = hourMs

/** What the shadow says about a promotion by the hub itself. */
export function shadowVerdict(
  figures: ShadowFigures | undefined,
  now: number,
): { readonly state: 'holds' | 'fails' | 'unknown'; readonly found: string } {
  if (!figures || figures.since === null || !figures.wql) {
    return { state: 'unknown', found: 'nothing that it said has been scored yet' }
  }
  const { since, points, wql } = figures
  const hours = (now - since) / hourMs
  const seen = `${points} points in ${hours.toFixed(0)} h, weighted quantile loss ${wql.challenger.toFixed(4)}, served ${wql.served.toFixed(4)}`
  if (hours < shadowHours || points < shadowPoints) {
    return {
      state: 'unknown',
      found: `${seen}; ${shadowHours} h and ${shadowPoints} points are needed`,
    }
  }
  return { state: wql.challenger <= wql.served ? 'holds' : 'fails', found: seen }
}

/** Models on a running hub: the registry with the forecaster that loads them, and the challenger in the shadow. */
export function modelsRoom({
  registry,
  shadow,
  forecaster,
  promotesItself,
  now,
  log,
}: {
  readonly registry: Registry
  readonly shadow: Shadow
  readonly forecaster: Pick<Forecaster, 'reload'>
  readonly promotesItself: boolean
  readonly now: () => number
  readonly log: Log
}) {
  let comparedAt = -Infinity
  const load = (folder: string): Promise<string | undefined> => forecaster.reload(folder)

  async function promote(id: string, force?: string) {
    const done = await registry.promote(id, { by: 'operator', force, load })
    await shadow.refresh()
    return done
  }

  /** The hub's own decision on its challenger, once it can be made. */
  async function decide(): Promise<void> {
    const challenger = registry.challenger()
    if (!challenger || !promotesItself) return
    const { id } = challenger.manifest
    const conditions = registry.conditions(id)
    const verdict = shadowVerdict(shadow.figures(), now())
    const failed = conditions.filter(({ state }) => state === 'fails')
    if (failed.length > 0) {
      registry.dismiss(id, standsInTheWay(conditions))
    } else if (verdict.state === 'fails') {
      registry.dismiss(id, `in the shadow it was worse: ${verdict.found}`)
    } else if (holdsAll(conditions) && verdict.state === 'holds') {
      const done = await registry.promote(id, { by: 'hub', load })
      log.info({ model: id, ...done }, 'the challenger was promoted')
    } else return
    await shadow.refresh()
  }

  return {
    promote,
    async rollback(reason: string) {
      const done = await registry.rollback({ by: 'operator', reason, load })
      await shadow.refresh()
      return done
    },
    /** Once a minute: another challenger, its figures, and what follows from them. */
    async tick(at: number): Promise<void> {
      await shadow.refresh()
      if (at - comparedAt >= compareEveryMs) {
        comparedAt = at
        await shadow.compare(at - 7 * 24 * hourMs)
      }
      await decide()
    },
    problems: (): string[] => {
      const { problem } = registry.serving()
      return problem ? [`another model serves than was decided: ${problem}`] : []
    },
  }
}
