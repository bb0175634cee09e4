import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ModelFolder } from '@harbinger/model-training/model/model-folder'
import { baseModelFolder, graphsFolder } from '@harbinger/model-training/model/shipped'
import type { DecidedBy, Decision, ModelStore } from '../storage/model-store.ts'
import type { Comparison } from '../training/training-messages.ts'
import { byAge, cachedReader, modelFolders } from './cached-reader.ts'
import { type Condition, gateConditions, holdsAll, standsInTheWay } from './gate.ts'

export type Registry = ReturnType<typeof openRegistry>

export type RegistryOptions = {
  readonly dataFolder: string
  readonly models: ModelStore
  /** A model that the operator set by configuration; then nothing is promoted. */
  readonly pinned?: string | undefined
  readonly now: () => number
  /** For tests; default: the graphs and the model that came with Harbinger. */
  readonly graphs?: string
  readonly baseModel?: string
}

export type Serving = {
  readonly folder: string
  readonly id: string | null
  /** ms; since when it serves. */
  readonly since: number | null
  readonly by: DecidedBy
  readonly reason: string
  /** Why the model that should serve does not; null when it does. */
  readonly problem: string | null
}

/** Versions that are kept, the one that serves and the one before it among them. */
export const keptVersions = 5

export type Refusal = { readonly refused: string; readonly conditions: readonly Condition[] }
export type Done = { readonly id: string; readonly folder: string; readonly reason: string }

/** The models of a hub: which there are, which serves, why, and how another takes its place. */
export function openRegistry(options: RegistryOptions) {
  const { dataFolder, models, pinned, now } = options
  const graphs = options.graphs ?? graphsFolder
  const baseFolder = options.baseModel ?? baseModelFolder
  const folder = join(dataFolder, 'models')

  const read = cachedReader(graphs)
  const all = () => modelFolders(folder).map(read).sort(byAge)
  const folderOf = (id: string): string => join(folder, id)
  const base = read(baseFolder)
  const baseId = 'manifest' in base ? base.manifest.id : null

  /** A model of this hub by its id; the one that came with Harbinger among them. */
  function find(id: string): ModelFolder | { readonly refused: string } {
    if (id === baseId) return base
    if (!isSafeId(id)) return { refused: `${id} is no id of a model` }
    if (!existsSync(folderOf(id))) return { refused: `there is no model ${id}` }
    return read(folderOf(id))
  }

  function decide(decision: Omit<Decision, 'id' | 'at'>): void {
    models.add({ at: now(), ...decision })
  }

  // An upgrade may bring another base model; it takes the place of the one before, not of a model made here.
  const [newest] = models.servings()
  const isBegun = newest === undefined || (newest.kind === 'began' && newest.model !== baseId)
  if (!pinned && isBegun && baseId !== null) {
    decide({
      ...{ model: baseId, kind: 'began', by: 'hub', body: null },
      reason: newest
        ? `it came with this version of Harbinger, in place of ${newest.model}`
        : 'it came with Harbinger',
    })
  }

  /** The newest decision whose model can be used; models that do not match are passed over, and that is said. */
  function serving(): Serving {
    if (pinned) {
      const found = read(pinned)
      return {
        folder: pinned,
        id: 'manifest' in found ? found.manifest.id : null,
        since: null,
        by: 'operator',
        reason: 'model.folder names it',
        problem: 'refused' in found ? found.refused : null,
      }
    }
    let problem: string | null = null
    for (const decision of models.servings()) {
      const found = find(decision.model)
      if ('refused' in found) {
        problem ??= `${decision.model} should serve: ${found.refused}`
        continue
      }
      const { at: since, model: id, by, reason } = decision
      return { folder: found.folder, id, since, by, reason, problem }
    }
    return {
      ...{ folder: baseFolder, id: baseId, since: null, by: 'hub', problem },
      reason: 'it came with Harbinger',
    }
  }

  /** The model that served before the one that serves, and still can. */
  function previous(): ModelFolder | undefined {
    const { id } = serving()
    for (const { model } of afterRollbacks(models.servings())) {
      if (model === id) continue
      const found = find(model)
      if ('manifest' in found) return found
    }
    return undefined
  }

  const judgement = (id: string): Comparison | undefined =>
    models.ofModel(id).find(({ kind }) => kind === 'judged')?.body as Comparison | undefined

  const conditions = (id: string): readonly Condition[] =>
    gateConditions(judgement(id), serving().id)

  /** The newest model that may become the one that serves: made or brought here, and nothing decided on it yet. */
  function challenger(): ModelFolder | undefined {
    const id = serving().id
    for (const found of all()) {
      if ('refused' in found || found.manifest.id === id) continue
      const [last] = models
        .ofModel(found.manifest.id)
        .filter(({ kind }) => kind !== 'judged' && kind !== 'refused')
      if (last?.kind === 'trained' || last?.kind === 'imported') return found
      return undefined
    }
    return undefined
  }

  /** Lets go of the oldest versions. Never of the one that serves, the one before it, or a challenger. */
  function prune(): void {
    const keep = new Set(
      [serving().id, previous()?.manifest.id, challenger()?.manifest.id].filter(Boolean),
    )
    const usable = all().flatMap((found) => ('manifest' in found ? [found] : []))
    const free = usable.filter(({ manifest }) => !keep.has(manifest.id))
    const room = Math.max(0, keptVersions - (usable.length - free.length))
    for (const { manifest, folder: at } of free.slice(room)) {
      rmSync(at, { recursive: true, force: true })
      const reason = `${keptVersions} versions are kept, this was the oldest`
      decide({ model: manifest.id, kind: 'removed', by: 'hub', reason, body: null })
    }
  }

  function refusal(refused: string, id?: string): Refusal {
    return { refused, conditions: id === undefined ? [] : conditions(id) }
  }
  const pinnedRefusal = (): Refusal | undefined =>
    pinned
      ? refusal(
          `model.folder in the configuration names ${pinned}; remove that setting and restart the hub, then models can be promoted`,
        )
      : undefined

  return {
    folder,
    folderOf: (id: string): string => join(folder, id),
    serving,
    previous,
    find,
    challenger,
    conditions,
    judgement,
    decisions: models.newest,
    decisionsOn: models.ofModel,
    baseId,
    /** All models, newest first, the one that came with Harbinger last; a refused one with the reason. */
    list: () => [...all(), base],

    /** A model that was trained or brought here: from now on a challenger. */
    added(
      id: string,
      { kind, by, reason }: { kind: 'trained' | 'imported'; by: DecidedBy; reason: string },
    ): void {
      decide({ model: id, kind, by, reason, body: null })
      prune()
    },
    judged(id: string, comparison: Comparison): void {
      const all = gateConditions(comparison, serving().id)
      const reason = holdsAll(all) ? 'every condition holds' : standsInTheWay(all)
      decide({ model: id, kind: 'judged', by: 'hub', reason, body: comparison })
    },

    /**
     * Puts a model into service when every condition holds, or when the operator forces it and says why. A model whose
     * files do not match is never put into service. The caller makes the forecaster load it first: see `promoteWith`.
     */
    async promote(
      id: string,
      {
        by,
        force,
        load,
      }: {
        readonly by: DecidedBy
        /** Why it is to serve although conditions do not hold. */
        readonly force?: string | undefined
        /** Takes it into service; answers why not. */
        readonly load?: (folder: string) => Promise<string | undefined>
      },
    ): Promise<Done | Refusal> {
      const stopped = pinnedRefusal()
      if (stopped) return stopped
      const found = find(id)
      if ('refused' in found) return refusal(found.refused)
      const before = serving().id
      if (before === id) return refusal(`${id} serves already`)
      const all = conditions(id)
      if (!holdsAll(all) && !force?.trim()) {
        return {
          refused: `${id} is not promoted: ${standsInTheWay(all)}. To promote it nevertheless, force it and say why`,
          conditions: all,
        }
      }
      const refused = await load?.(found.folder)
      if (refused !== undefined) {
        decide({ model: id, kind: 'refused', by, reason: refused, body: null })
        return refusal(`${id} was refused and ${before ?? 'the baseline'} goes on: ${refused}`, id)
      }
      const reason = holdsAll(all)
        ? 'every condition holds'
        : `forced: ${force!.trim()} (${standsInTheWay(all)})`
      decide({ model: id, kind: 'promoted', by, reason, body: { before, conditions: all } })
      prune()
      return { id, folder: found.folder, reason }
    },

    /** Back to the model that served before. */
    async rollback({
      by,
      reason,
      load,
    }: {
      readonly by: DecidedBy
      readonly reason: string
      readonly load?: (folder: string) => Promise<string | undefined>
    }): Promise<Done | Refusal> {
      const stopped = pinnedRefusal()
      if (stopped) return stopped
      const to = previous()
      if (!to) return refusal('no other model has served that could take over again')
      const { id: from } = serving()
      const refused = await load?.(to.folder)
      if (refused !== undefined) return refusal(`${to.manifest.id} was refused: ${refused}`)
      decide({ model: to.manifest.id, kind: 'rolled back', by, reason, body: { from } })
      return { id: to.manifest.id, folder: to.folder, reason }
    },

    /** The challenger is not promoted, and no longer is one. */
    dismiss(id: string, reason: string): void {
      decide({
        model: id,
        kind: 'not promoted',
        by: 'hub',
        reason,
        body: { conditions: conditions(id) },
      })
    },

    /** What a training that ended without a model left behind is taken away. */
    cleanUp(id: string): void {
      if (!isSafeId(id)) return
      for (const end of ['.next', '.draft', '.draft.next', '.checkpoints']) {
        rmSync(resolve(folder, `${id}${end}`), { recursive: true, force: true })
      }
    },
    makeFolder: (): void => void mkdirSync(folder, { recursive: true }),
  }
}

/** Names that stay within the folder of models and are none of ours for what is unfinished. */
export const isSafeId = (id: string): boolean =>
  /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(id) && !/\.(next|draft|checkpoints|incoming)$/.test(id)

/** Models in the order one would go back: what a rollback went away from does not come again. */
function afterRollbacks(servings: readonly Decision[]): readonly Decision[] {
  const left: Decision[] = []
  for (const decision of [...servings].reverse()) {
    if (decision.kind !== 'rolled back') {
      left.push(decision)
      continue
    }
    const at = left.findLastIndex(({ model }) => model === decision.model)
    left.length = at < 0 ? 0 : at
    left.push(decision)
  }
  return left.reverse()
}
