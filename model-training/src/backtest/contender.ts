import { emptyScore, type Score } from './score.ts'
import { histories, horizons } from './slices.ts'

/** Scores of one contender, whole and by slice. */
export type Contender = {
  readonly all: Score
  readonly byHorizon: readonly Score[]
  readonly byHistory: readonly Score[]
}

export const newContender = (): Contender => ({
  all: emptyScore(),
  byHorizon: horizons.map(emptyScore),
  byHistory: histories.map(emptyScore),
})
