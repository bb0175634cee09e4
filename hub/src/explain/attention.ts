import type { Explanation } from '@harbinger/shared/explanation'
import { historySteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import { minuteMs } from '@harbinger/shared/window/series'
import { type Effect, occlusionCheck } from './check.ts'

/** The last 24 h in spans of 3 h. */
export const spanSteps = 12
export const spans = historySteps / spanSteps

export type Span = { readonly from: number; readonly to: number }

export const spanAt = (i: number): Span => ({ from: i * spanSteps, to: (i + 1) * spanSteps })

/**
 * Which hours of the history the network attended to, shown only when taking the most attended ones away moves the
 * forecast more than taking away others drawn at random.
 */
export function checkAttention({
  attention,
  effects,
  seed,
  windowEnd,
}: {
  /** One row of the network's output: weights over the history, oldest first. */
  readonly attention: Float32Array
  /** Of the spans that were measured. */
  readonly effects: readonly Effect<Span>[]
  readonly seed: number
  readonly windowEnd: number
}): Explanation['attention'] {
  const all = attention.reduce((sum, weight) => sum + weight, 0)
  if (!(all > 0)) return { withheld: 'the network says nothing of it', spans: [], check: null }
  const share = ({ from, to }: Span): number => {
    const cut = (step: number) => Math.round((step / historySteps) * attention.length)
    return attention.subarray(cut(from), cut(to)).reduce((sum, weight) => sum + weight, 0) / all
  }
  const at = (step: number) =>
    new Date(windowEnd - (historySteps - step) * stepMinutes * minuteMs).toISOString()
  const named = effects.reduce<Effect<Span> | undefined>(
    (best, one) => (!best || share(one.removed) > share(best.removed) ? one : best),
    undefined,
  )
  const check =
    named &&
    occlusionCheck({
      ...{ named, seed, name: hours(named.removed) },
      others: effects.filter((one) => one !== named),
    })
  if (!check) {
    return {
      withheld: 'less than half a day was measured: too little to check against',
      spans: [],
      check: null,
    }
  }
  if (!check.passed) {
    return {
      withheld: `the network attends most to ${check.removed}, but without those hours the forecast moves no more than without others drawn at random`,
      spans: [],
      check,
    }
  }
  return {
    withheld: null,
    spans: Array.from({ length: spans }, (_, i) => spanAt(i)).map((span) => ({
      from: at(span.from),
      to: at(span.to),
      share: Math.round(share(span) * 1e4) / 1e4,
      effect: rounded(effects.find(({ removed }) => removed.from === span.from)?.effect),
    })),
    check,
  }
}

const rounded = (x: number | undefined): number | null =>
  x === undefined ? null : Math.round(x * 1e4) / 1e4

/** "the last 3 h", "6 to 9 h ago". */
function hours({ from, to }: Span): string {
  const ago = (step: number) => ((historySteps - step) * stepMinutes) / 60
  return to === historySteps ? `the last ${ago(from)} h` : `${ago(to)} to ${ago(from)} h ago`
}
