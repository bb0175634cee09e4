import type { Figures, Scorecard } from '@harbinger/shared/accuracy'
import { count, span } from '../../words/numbers.ts'

const nbsp = '\u00a0'

/** A share from 0 to 1; unknown is a word. */
export const share = (value: number | null): string =>
  value === null ? 'unknown' : `${(100 * value).toFixed(1)}${nbsp}%`

/** "12 % better than theta-like": against the best of the simple methods, on the same points. */
export function skillWords({ skill, bestBaseline }: Figures): string {
  if (skill === null || bestBaseline === null) return 'unknown'
  const percent = Math.round(100 * skill)
  const name = bestBaseline.replaceAll('-', ' ')
  if (percent === 0) return `as good as ${name}`
  return `${Math.abs(percent)}${nbsp}% ${percent > 0 ? 'better' : 'worse'} than ${name}`
}

/** A lead as people say it: the quarter of an hour that begins then. */
export const leadWords = (minutes: string): string => `in ${span(Number(minutes))}`

/** How good the forecasts were, in a sentence that needs no training. */
export function sentence({ all }: Scorecard): string {
  if (all.n === 0)
    return 'Nothing has been scored yet: the first truth comes about an hour after the first forecast is logged.'
  const held = all.coverage80
  const band =
    held === null
      ? ''
      : ` The 80${nbsp}% band held ${share(held)} of what came: ${
          held >= 0.77 && held <= 0.83
            ? 'as promised'
            : held < 0.77
              ? 'less than it promised, so trust it less'
              : 'more than it promised, so it is wider than it need be'
        }.`
  const missed =
    all.unknown > 0
      ? ` ${count(all.unknown)} more points were never measured and are not scored.`
      : ''
  return `${count(all.n)} forecast points were compared with what came. They were ${skillWords(all)}.${band}${missed}`
}
