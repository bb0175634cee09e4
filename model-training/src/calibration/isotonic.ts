import { chanceGrid, type Curve } from '@harbinger/shared/forecast/chance'

/** Cases of one contender: what chance was said, and whether it came (1) or not (0). */
export type Cases = { readonly said: number[]; readonly came: number[] }

/** Fewer cases than this say nothing, and chances stay as they are. */
const fewestCases = 2000

/**
 * How often it came at each place of chanceGrid, by isotonic regression (pool adjacent violators): the curve that never
 * falls and is closest to what came. Between its blocks it is read by straight lines. Undefined with too few cases.
 */
export function isotonic({ said, came }: Cases): Exclude<Curve, undefined> | undefined {
  if (said.length < fewestCases) return undefined
  const order = Uint32Array.from(said.keys()).sort((a, b) => said[a]! - said[b]!)
  const blocks: { first: number; last: number; came: number; n: number }[] = []
  // Bins of 1 % first, so that a block is never a handful of cases at one end.
  const perBin = Math.max(50, Math.floor(said.length / 100))
  for (let from = 0; from < order.length; from += perBin) {
    const bin = order.subarray(from, Math.min(order.length, from + perBin))
    const block = { first: said[bin[0]!]!, last: said[bin.at(-1)!]!, came: 0, n: bin.length }
    for (const i of bin) block.came += came[i]!
    blocks.push(block)
    while (blocks.length > 1 && share(blocks.at(-2)!) >= share(blocks.at(-1)!)) {
      const last = blocks.pop()!
      const before = blocks.at(-1)!
      before.last = last.last
      before.came += last.came
      before.n += last.n
    }
  }
  // A bin is a place, a pooled block is level from its first to its last.
  const knots = blocks.flatMap((block) => [
    [block.first, share(block)] as const,
    [block.last, share(block)] as const,
  ])
  return chanceGrid.map((chance) => Number(readOff(knots, chance).toFixed(4)))
}

const share = ({ came, n }: { came: number; n: number }): number => came / n

function readOff(knots: readonly (readonly [number, number])[], at: number): number {
  const after = knots.findIndex(([said]) => said >= at)
  if (after < 0) return knots.at(-1)![1]
  if (after === 0) return knots[0]![1]
  const [x0, y0] = knots[after - 1]!
  const [x1, y1] = knots[after]!
  return x1 > x0 ? y0 + ((at - x0) / (x1 - x0)) * (y1 - y0) : y1
}
