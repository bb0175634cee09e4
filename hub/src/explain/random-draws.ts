import { randomStream } from '@harbinger/model-training/train/random'

/** The seed of a check: the same question about the same window is answered the same. */
export function checkSeed(server: string, windowEnd: number): number {
  let hash = Math.floor(windowEnd / 60_000) | 0
  for (const letter of server) hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) | 0
  return hash >>> 0
}

/** Up to `count` of `from`, each at most once. */
export function drawSome<Item>(from: readonly Item[], count: number, seed: number): Item[] {
  const left = [...from]
  const next = randomStream(seed)
  const drawn: Item[] = []
  while (drawn.length < count && left.length > 0) {
    drawn.push(...left.splice(Math.floor(next() * left.length), 1))
  }
  return drawn
}
