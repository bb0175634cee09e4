import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { explainDisk } from '../model/explain-disk.ts'
import { bytesOf } from './validation.ts'

/** All a run needs to go on as if it had never stopped. */
export type Checkpoint = {
  /** What is trained on what: another run's checkpoint is not this one's beginning. */
  readonly run: string
  readonly step: number
  readonly steps: number
  readonly minutes: number
  readonly bestStep: number
  readonly bestWql: number
  readonly losses: readonly LossPoint[]
  /** Since the last judgement. */
  readonly lossSum: number
  readonly lossCount: number
  readonly vectors: { readonly [name in VectorName]: Float32Array }
}

/** One point of the loss curve: mean training loss up to a step, and the weighted quantile loss judged there. */
export type LossPoint = readonly [step: number, loss: number, wql: number]

const vectorNames = ['theta', 'm', 'v', 'average', 'best'] as const
type VectorName = (typeof vectorNames)[number]

const fileOf = (folder: string): string => join(folder, 'checkpoint.bin')

/**
 * Writes a checkpoint whole or not at all: a run killed while writing still has the one before. What is written is on
 * the disk before it gets its name.
 */
export function writeCheckpoint(folder: string, { vectors, ...rest }: Checkpoint): void {
  const parts = vectorNames.map((name) => bytesOf(vectors[name]))
  const header = {
    ...rest,
    // JSON has no Infinity: nothing was judged yet.
    bestWql: Number.isFinite(rest.bestWql) ? rest.bestWql : null,
    sizes: vectorNames.map((name) => vectors[name].length),
    sha256: sha256(parts),
  }
  const next = join(folder, 'checkpoint.next')
  try {
    mkdirSync(folder, { recursive: true })
    const file = openSync(next, 'w')
    try {
      for (const part of [Buffer.from(`${JSON.stringify(header)}\n`), ...parts]) {
        for (let at = 0; at < part.length;) at += writeSync(file, part, at)
      }
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(next, fileOf(folder))
  } catch (error) {
    rmSync(next, { force: true })
    throw explainDisk(error, `the checkpoint of the training in ${folder}`)
  }
}

/** Undefined when there is none. Throws when what is there is not what was written. */
export function readCheckpoint(folder: string): Checkpoint | undefined {
  const path = fileOf(folder)
  if (!existsSync(path)) return undefined
  const bytes = readFileSync(path)
  const end = bytes.indexOf(10)
  const header = parseHeader(bytes.toString('utf8', 0, Math.max(0, end)))
  if (!header) throw damaged(folder, 'it does not begin as one')
  const { sizes, sha256: written, ...rest } = header
  const expected = 4 * sizes.reduce((a, b) => a + b, 0)
  const body = bytes.subarray(end + 1)
  if (body.length !== expected) {
    throw damaged(folder, `${body.length} bytes of weights, expected ${expected}`)
  }
  if (sha256([body]) !== written) throw damaged(folder, 'its weights are not what was written')
  let at = 0
  const vectors = vectorNames.map((name, i) => {
    const vector = new Float32Array(sizes[i]!)
    bytesOf(vector).set(body.subarray(at, at + vector.byteLength))
    at += vector.byteLength
    return [name, vector] as const
  })
  return {
    ...rest,
    bestWql: rest.bestWql ?? Infinity,
    vectors: Object.fromEntries(vectors) as Checkpoint['vectors'],
  }
}

/** A run that came to its end needs none. */
export const forgetCheckpoint = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true })

type Header = Omit<Checkpoint, 'vectors'> & { readonly sizes: number[]; readonly sha256: string }

function parseHeader(text: string): Header | undefined {
  try {
    const header = JSON.parse(text) as Header
    const isOne = Array.isArray(header.sizes) && header.sizes.length === vectorNames.length
    return isOne && header.step >= 0 && header.steps > 0 ? header : undefined
  } catch {
    return undefined
  }
}

const damaged = (folder: string, what: string): Error =>
  new Error(
    `the checkpoint ${fileOf(folder)} is damaged: ${what}. Remove ${folder} to start this training from its beginning`,
  )

function sha256(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
