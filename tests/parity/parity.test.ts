import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

type Port = { name: string; type: 'float32' | 'int64'; shape: (number | 'batch')[] }
type Graph = { file: string; sha256: string; inputs: Port[]; outputs: Port[] }
type Contract = {
  definition: { sources: string[]; sha256: string }
  thetaSize: number
  trainableSize: number
  weightsFile: string
  train: Graph
  infer: Graph
  parameters: { name: string; shape: number[]; offset: number }[]
}
type Parity = {
  learningRate: number
  batches: number
  steps: { loss: number; gradNorm: number }[]
  inference: number[]
}

const root = join(import.meta.dirname, '../..')
const definition = join(root, 'model-training/definition')
const graphs = join(root, 'model-training/graphs')
const contract: Contract = JSON.parse(readFileSync(join(graphs, 'contract.json'), 'utf8'))
const minutes = 60_000

describe('the committed graphs', () => {
  test('were made by the definition as it stands (else run definition/export.py)', () => {
    const digest = createHash('sha256')
    for (const name of contract.definition.sources)
      digest
        .update(name)
        .update('\0')
        .update(readFileSync(join(definition, name)))
        .update('\0')
    expect(digest.digest('hex')).toBe(contract.definition.sha256)
  })

  test.each([contract.train, contract.infer])('are the ones the contract names: $file', (graph) => {
    const bytes = readFileSync(join(graphs, graph.file))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(graph.sha256)
  })

  test('have their weights laid out without gap or overlap', () => {
    let end = 0
    for (const { name, shape, offset } of contract.parameters) {
      expect(offset, name).toBe(end)
      end += shape.reduce((product, size) => product * size, 1)
    }
    expect(end).toBe(contract.thetaSize)
  })

  test('take and give what the contract says', async () => {
    const session = await InferenceSession.create(join(graphs, contract.train.file))
    expect(session.inputNames).toEqual(contract.train.inputs.map(({ name }) => name))
    expect(session.outputNames).toEqual(contract.train.outputs.map(({ name }) => name))
    await session.release()
  }, 120_000)
})

/** Waiting threads of PyTorch sleep: spinning, they starve each other on a busy machine. */
const env = { ...process.env, OMP_WAIT_POLICY: 'passive' }

/** The first Python that can import torch, or what was tried. */
function pythonWithTorch(): { python: string } | { tried: string } {
  const candidates = [process.env.HARBINGER_PYTHON, join(root, '.venv/bin/python'), 'python3']
  const tried = candidates.filter((python) => python !== undefined && python !== '') as string[]
  const python = tried.find((python) => spawnSync(python, ['-c', 'import torch']).status === 0)
  return python === undefined ? { tried: tried.join(', ') } : { python }
}

const found = pythonWithTorch()
const why = 'python' in found ? '' : `no torch in ${found.tried}; set HARBINGER_PYTHON`
if (why !== '' && process.env.CI === 'true')
  test('PyTorch is there to compare with', () => expect.fail(why))
if (why !== '') console.warn(`SKIPPED tests/parity, comparison with PyTorch: ${why}`)

describe.skipIf(why !== '')(`compared with PyTorch${why && ` (skipped: ${why})`}`, () => {
  const python = 'python' in found ? found.python : ''
  let folder = ''
  let parity: Parity

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parity-'))
    execFileSync(python, ['-B', join(definition, 'parity.py'), folder], { stdio: 'inherit', env })
    parity = JSON.parse(readFileSync(join(folder, 'parity.json'), 'utf8'))
    // infer.onnx reads its weights from the file beside it.
    copyFileSync(join(graphs, contract.infer.file), join(folder, contract.infer.file))
  }, 5 * minutes)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test(
    'the equations hold in PyTorch itself',
    () => {
      const checks = spawnSync(python, ['-B', join(definition, 'test_network.py')], {
        env,
        encoding: 'utf8',
      })
      expect(checks.status, checks.stderr).toBe(0)
    },
    5 * minutes,
  )

  test(
    'ten training steps give the same loss, gradient norm and weights',
    async () => {
      const session = await InferenceSession.create(join(graphs, contract.train.file))
      const windows = contract.train.inputs.slice(5)
      const batches = Array.from({ length: parity.batches }, (_, i) =>
        read(join(folder, `train-${i}`), windows, 0),
      )
      const start = floats(join(folder, 'theta.bin'))
      const memory = () =>
        new Tensor('float32', new Float32Array(contract.trainableSize), [contract.trainableSize])
      let state = {
        theta: new Tensor('float32', start, [contract.thetaSize]),
        m: memory(),
        v: memory(),
      }
      for (const [i, wanted] of parity.steps.entries()) {
        const out = await session.run({
          ...state,
          lr: scalar(parity.learningRate),
          step: scalar(i + 1),
          ...batches[i % parity.batches],
        })
        expect(relative(numbers(out.loss), [wanted.loss]), `loss of step ${i + 1}`).toBeLessThan(
          1e-4,
        )
        expect(relative(numbers(out.gradNorm), [wanted.gradNorm]), `norm of ${i + 1}`).toBeLessThan(
          1e-4,
        )
        state = { theta: out.thetaNext, m: out.mNext, v: out.vNext } as typeof state
      }
      const trained = floats(join(folder, 'thetaTrained.bin'))
      expect(relative(numbers(state.theta), trained)).toBeLessThan(1e-4)
      expect(relative(numbers(state.m), floats(join(folder, 'mTrained.bin')))).toBeLessThan(1e-3)
      expect(relative(numbers(state.v), floats(join(folder, 'vTrained.bin')))).toBeLessThan(1e-3)
      // The weights hardly move in ten steps, so how they moved is compared as well.
      const moved = (weights: Float32Array) => weights.map((w, i) => w - (start[i] ?? NaN))
      expect(relative(moved(numbers(state.theta)), moved(trained))).toBeLessThan(1e-2)
      await session.release()
    },
    5 * minutes,
  )

  test.each([1, 3, 90])('a batch of %i gives the same forecast', async (size) => {
    expect(parity.inference).toContain(size)
    const session = await InferenceSession.create(join(folder, contract.infer.file))
    expect([...session.inputNames].sort()).toEqual(
      contract.infer.inputs.map(({ name }) => name).sort(),
    )
    const from = join(folder, `infer-${size}`)
    const out = await session.run(read(from, contract.infer.inputs, size))
    for (const { name, shape } of contract.infer.outputs) {
      expect(out[name]?.dims, name).toEqual([size, ...shape.slice(1)])
      const wanted = floats(join(from, `${name}.bin`))
      expect(worst(numbers(out[name]), wanted), `${name} at batch ${size}`).toBeLessThan(1e-4)
    }
    await session.release()
  })
})

function read(folder: string, ports: Port[], batch: number): Record<string, Tensor> {
  const tensors = ports.map(({ name, type, shape }) => {
    const sizes = shape.map((size) => (size === 'batch' ? batch : size))
    const file = join(folder, `${name}.bin`)
    return type === 'int64'
      ? [name, new Tensor('int64', new BigInt64Array(bytes(file)), sizes)]
      : [name, new Tensor('float32', floats(file), sizes)]
  })
  return Object.fromEntries(tensors)
}

function bytes(file: string): ArrayBuffer {
  if (!existsSync(file)) throw new Error(`parity.py wrote no ${file}`)
  return new Uint8Array(readFileSync(file)).buffer
}

function floats(file: string): Float32Array {
  return new Float32Array(bytes(file))
}

function scalar(value: number): Tensor {
  return new Tensor('float32', [value], [])
}

function numbers(tensor: Tensor | undefined): Float32Array {
  if (tensor === undefined) throw new Error('the graph gave no such output')
  return tensor.data as Float32Array
}

const length = (values: ArrayLike<number>) =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0))

/** How far each value is from what was wanted; NaN when their numbers differ. */
function differences(got: Float32Array, wanted: ArrayLike<number>): Float64Array {
  if (got.length !== wanted.length) return Float64Array.of(NaN)
  return Float64Array.from(wanted, (value, i) => (got[i] ?? NaN) - value)
}

/** Length of the difference over the length of what was wanted. */
function relative(got: Float32Array, wanted: ArrayLike<number>): number {
  return length(differences(got, wanted)) / length(wanted)
}

/** The largest single difference, relative above one and absolute below. */
function worst(got: Float32Array, wanted: ArrayLike<number>): number {
  return differences(got, wanted)
    .map((difference, i) => Math.abs(difference) / Math.max(1, Math.abs(wanted[i] ?? 0)))
    .reduce((most, share) => Math.max(most, share), 0)
}
