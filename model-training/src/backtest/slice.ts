import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import type { Collected } from './collect.ts'
import type { Contender } from './contender.ts'
import { coverage80, type Score, wql } from './score.ts'
import { type Part, scoreOf, type Tally } from './tally.ts'

/** The model beside the best baseline, on one part of the scored points. */
export type Slice = {
  readonly model: number | null
  readonly baselines: { readonly [name: string]: number | null }
  readonly bestBaseline: string | null
  readonly ratio: number | null
  readonly coverage80: number | null
  /** Mean width of the 80 % band, in the metric's unit; null where several metrics meet. */
  readonly width: number | null
  /** Scored points, windows that have any, and servers. */
  readonly n: number
  readonly windows: number
  readonly servers: number
}

export type SlicePart = Part & {
  /** Only this metric (place among the network's); default: all. */
  readonly metric?: number | undefined
  /** Default: windows with all the history there was. */
  readonly tally?: ((contender: Contender) => Tally) | undefined
}

/** The figures of one part; the first model is the one that is judged. */
export function sliceOf({ models, baselines }: Collected, part: SlicePart = {}): Slice {
  const { tally = ({ all }: Contender) => all, metric } = part
  const only = (contender: Contender): Score => {
    const score = scoreOf(tally(contender), part)
    return metric === undefined ? score : { metrics: [score.metrics[metric]!] }
  }
  const model = models[0] && only(models[0].contender)
  const scores = [...baselines].map(([name, contender]) => [name, only(contender)] as const)
  const each = scores.map(([name, score]) => [name, figure(wql(score))] as const)
  const best = bestOf(each)
  const ours = model ? figure(wql(model)) : null
  const any = model ?? scores[0]?.[1]
  const points = any?.metrics.reduce((sum, { points }) => sum + points, 0) ?? 0
  const counted = models[0]?.contender ?? [...baselines.values()][0]
  return {
    model: ours,
    baselines: Object.fromEntries(each),
    bestBaseline: best?.name ?? null,
    ratio: ratioOf(ours, best?.wql ?? null),
    coverage80: model ? figure(coverage80(model)) : null,
    width: model && metric !== undefined ? figure(model.metrics[0]!.width / points) : null,
    n: points,
    ...(counted ? seenIn(tally(counted), part) : { windows: 0, servers: 0 }),
  }
}

/** A window counts once, whatever parts of its horizon were measured. */
function seenIn(tally: Tally, part: SlicePart): { windows: number; servers: number } {
  let windows = 0
  let servers = 0
  for (const server of part.servers ?? Array.from({ length: serverCount(tally) }, (_, i) => i)) {
    const parts = [0, 1, 2].map((horizon) => {
      if (part.horizon !== undefined && part.horizon !== horizon) return 0
      const { metrics } = scoreOf(tally, { servers: [server], horizon })
      const asked = part.metric === undefined ? metrics : [metrics[part.metric]!]
      return Math.max(...asked.map(({ windows }) => windows))
    })
    const own = Math.max(...parts)
    windows += own
    if (own > 0) servers++
  }
  return { windows, servers }
}

const serverCount = ({ scores }: Tally): number => Math.ceil(scores.length / 3)

export function bestOf<Name extends string = BaselineName>(
  scores: readonly (readonly [Name, number | null])[],
): { readonly name: Name; readonly wql: number } | undefined {
  let best: { name: Name; wql: number } | undefined
  for (const [name, wql] of scores) {
    if (wql !== null && (best === undefined || wql < best.wql)) best = { name, wql }
  }
  return best
}

export const ratioOf = (ours: number | null, theirs: number | null): number | null =>
  ours !== null && theirs !== null && theirs > 0 ? figure(ours / theirs) : null

/** Six digits; null stands for "nothing to score". */
export const figure = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null
