import { addScore, addWindow, emptyScore, type Rows, type Score } from './score.ts'
import { horizons } from './slices.ts'

/** Scores of one contender by server and part of the horizon: what every slice and every resampling is made of. */
export type Tally = {
  /** [server × horizon]; a server without a window has none. */
  readonly scores: (Score | undefined)[]
}

export const emptyTally = (): Tally => ({ scores: [] })

/** Adds one window of the server at `server` in its history. */
export function addToTally(tally: Tally, server: number, rows: Rows): void {
  horizons.forEach(({ steps }, h) => {
    const place = server * horizons.length + h
    addWindow((tally.scores[place] ??= emptyScore()), { ...rows, steps })
  })
}

export type Part = {
  /** Only these servers; one that is named twice counts twice. Default: all. */
  readonly servers?: readonly number[] | undefined
  /** Only this part of the horizon; default: all of it. */
  readonly horizon?: number | undefined
}

/** What was scored in one part. */
export function scoreOf(tally: Tally, { servers = serversOf(tally), horizon }: Part = {}): Score {
  const sum = emptyScore()
  for (const server of servers) {
    for (let h = 0; h < horizons.length; h++) {
      const score = tally.scores[server * horizons.length + h]
      if (score && (horizon === undefined || h === horizon)) addScore(sum, score)
    }
  }
  return sum
}

/** Servers that have windows. */
export function serversOf({ scores }: Tally): readonly number[] {
  const found = new Set<number>()
  scores.forEach((score, place) => {
    if (score) found.add(Math.floor(place / horizons.length))
  })
  return [...found]
}
