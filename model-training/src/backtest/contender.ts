import { histories } from './slices.ts'
import { emptyTally, type Tally } from './tally.ts'

/** Scores of one contender with all the history there was, and with histories cut short. */
export type Contender = {
  readonly all: Tally
  readonly byHistory: readonly Tally[]
  /** Per window and metric. */
  readonly mase: number[]
}

export const newContender = (): Contender => ({
  all: emptyTally(),
  byHistory: histories.map(emptyTally),
  mase: [],
})
