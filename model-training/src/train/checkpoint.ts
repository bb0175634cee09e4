import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesOf } from './validation.ts'

/** All a run needs to go on as if it had never stopped. */
export type Checkpoint = {
  readonly step: number
  readonly steps: number
  readonly seed: number
  readonly minutes: number
  readonly bestStep: number
  readonly bestWql: number
  readonly losses: readonly (readonly [step: number, loss: number])[]
  readonly vectors: { readonly [name in VectorName]: Float32Array }
}

const vectorNames = ['theta', 'm', 'v', 'average', 'best'] as const
type VectorName = (typeof vectorNames)[number]

/** Writes a checkpoint whole or not at all: a run killed while writing still has the one before. */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): void {
  mkdirSync(folder, { recursive: true })
  const { vectors, ...rest } = checkpoint
  const sizes = vectorNames.map((name) => vectors[name].length)
  const header = Buffer.from(`${JSON.stringify({ ...rest, sizes })}\n`)
  const next = join(folder, 'checkpoint.next')
  writeFileSync(next, Buffer.concat([header, ...vectorNames.map((name) => bytesOf(vectors[name]))]))
  renameSync(next, join(folder, 'checkpoint.bin'))
}

/** Undefined when there is none. */
export function readCheckpoint(folder: string): Checkpoint | undefined {
  const path = join(folder, 'checkpoint.bin')
  if (!existsSync(path)) return undefined
  const bytes = readFileSync(path)
  const end = bytes.indexOf(10)
  const { sizes, ...rest } = JSON.parse(bytes.toString('utf8', 0, end)) as Omit<
    Checkpoint,
    'vectors'
  > & { sizes: number[] }
  let at = end + 1
  const vectors = vectorNames.map((name, i) => {
    const vector = new Float32Array(sizes[i]!)
    bytesOf(vector).set(bytes.subarray(at, at + vector.byteLength))
    at += vector.byteLength
    return [name, vector] as const
  })
  return { ...rest, vectors: Object.fromEntries(vectors) as Checkpoint['vectors'] }
}

/** A run that came to its end needs none. */
export const forgetCheckpoint = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true })
