import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { readGraphContract } from '../onnx/training.ts'
import type { TrainingBatch } from '../train/training-batch.ts'

const root = join(import.meta.dirname, '../../..')
const script = join(root, 'model-training/definition/eager_peer.py')

/**
 * How PyTorch's threads wait for each other: as they do unasked, or asleep. On two idle cores the first is faster, beside
 * other work the second (seen: 290 ms a step against 7,500).
 */
export type Waits = 'spinning' | 'asleep'

/** PyTorch's own training step of the same network in a process of its own, to be measured beside ours. */
export type EagerPeer = {
  /** As PyTorch calls its version, and how its threads wait. */
  readonly torch: string
  readonly waits: Waits
  /** Runs steps `first` … `first + count − 1`; ms and loss of each. */
  readonly steps: (
    first: number,
    count: number,
    lr: number,
  ) => Promise<{ readonly ms: readonly number[]; readonly loss: readonly number[] }>
  readonly close: () => void
}

/** The first Python that can import torch: HARBINGER_PYTHON, .venv, python3; or what was tried. */
export function pythonWithTorch(
  asked: string | undefined,
): { readonly python: string } | { readonly missing: string } {
  const tried = [asked, join(root, '.venv/bin/python'), 'python3'].filter(
    (python): python is string => python !== undefined && python !== '',
  )
  const python = tried.find((name) => spawnSync(name, ['-c', 'import torch']).status === 0)
  return python === undefined
    ? { missing: `no PyTorch in ${tried.join(', ')}; set HARBINGER_PYTHON` }
    : { python }
}

/** Starts it with the weights and batches that our side begins with. Rejects with what it said when it does not start. */
export async function openEagerPeer({
  python,
  graphs,
  theta,
  batches,
  threads,
  waits,
}: {
  readonly python: string
  readonly graphs: string
  readonly theta: Float32Array
  readonly batches: readonly TrainingBatch[]
  readonly threads: number
  readonly waits: Waits
}): Promise<EagerPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-peer-'))
  copyFileSync(join(graphs, 'contract.json'), join(folder, 'contract.json'))
  writeFileSync(join(folder, 'theta.bin'), bytesOf(theta))
  const { inputs } = readGraphContract(graphs).train as unknown as {
    inputs: readonly { readonly name: string }[]
  }
  batches.forEach((batch, i) => {
    const place = join(folder, `batch-${i}`)
    mkdirSync(place)
    for (const { name } of inputs) {
      if (!(name in batch)) continue
      const values = batch[name as 'past' | 'profile']
      writeFileSync(join(place, `${name}.bin`), bytesOf(values))
    }
  })
  const child = spawn(python, [script, folder, String(threads)], {
    env: {
      ...process.env,
      OMP_NUM_THREADS: String(threads),
      ...(waits === 'asleep' && { OMP_WAIT_POLICY: 'passive' }),
    },
  })
  const answers = answersOf(child)
  const close = (): void => {
    child.stdin.end()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const { torch } = (await answers.next()) as { torch: string }
    return {
      ...{ torch, waits },
      steps: async (first, count, lr) => {
        child.stdin.write(`${JSON.stringify({ first, count, lr })}\n`)
        return (await answers.next()) as { ms: number[]; loss: number[] }
      },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

function answersOf(child: ChildProcessWithoutNullStreams): { next: () => Promise<unknown> } {
  let said = ''
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    next: async () => {
      const line = await lines.next()
      if (line.done) throw new Error(`eager_peer.py ended: ${said.trim() || 'it said nothing'}`)
      return JSON.parse(line.value) as unknown
    },
  }
}

const bytesOf = (values: Float32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
