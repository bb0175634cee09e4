import { availableParallelism } from 'node:os'
import { readHistory } from '../history/read-history.ts'
import type { BenchFigure } from './train-bench.ts'

const barMs = 300

/** How long 100,000 rows of a history file take to be read and checked. */
export async function benchHistory({
  path,
  clock,
  at,
}: {
  readonly path: string
  /** ms that only grow. */
  readonly clock: () => number
  /** The instant that the figure carries. */
  readonly at: string
}): Promise<readonly BenchFigure[]> {
  const began = clock()
  let rows = 0
  for await (const chunk of readHistory(path)) rows += chunk.rows
  const figure = Math.round(((clock() - began) * 100_000) / rows)
  return [
    {
      ...{ name: 'history reading', figure, unit: 'ms per 100,000 rows', bar: barMs },
      ok: figure <= barMs,
      conditions: { cores: availableParallelism(), node: process.version, rows, at },
    },
  ]
}
