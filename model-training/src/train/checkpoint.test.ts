import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const vector = (by: number) => Float32Array.from({ length: 5 }, (_, i) => by * i + 0.1)
const checkpoint: Checkpoint = {
  ...{ run: 'a', step: 3, steps: 9, minutes: 0.5, bestStep: 0, bestWql: Infinity, losses: [] },
  ...{ lossSum: 1.5, lossCount: 3 },
  vectors: { theta: vector(1), m: vector(2), v: vector(3), average: vector(4), best: vector(5) },
}

test('is read as it was written, also before anything was judged', () => {
  writeCheckpoint(folder, checkpoint)
  expect(readCheckpoint(folder)).toEqual(checkpoint)
  expect(readdirSync(folder)).toEqual(['checkpoint.bin'])
  expect(readCheckpoint(join(folder, 'nowhere'))).toBeUndefined()
})

test.each<[string, (path: string) => void, string]>([
  ['is cut short', (path) => truncateSync(path, 300), 'bytes of weights'],
  ['is empty', (path) => truncateSync(path, 0), 'does not begin as one'],
  ['is another file', (path) => writeFileSync(path, 'hello\nworld'), 'does not begin as one'],
])('that %s is refused with what to do', (_what, spoil, reason) => {
  writeCheckpoint(folder, checkpoint)
  spoil(join(folder, 'checkpoint.bin'))
  expect(() => readCheckpoint(folder)).toThrow(reason)
  expect(() => readCheckpoint(folder)).toThrow(`Remove ${folder}`)
})

/** A process that may write files of at most 2 kB meets what a full disk is: a write that does not succeed. */
function withoutRoom(code: string): string {
  const script = join(folder, 'run.mjs')
  writeFileSync(script, code)
  return execFileSync('bash', ['-c', `ulimit -f 4; exec "${process.execPath}" "${script}"`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

test('that finds no room is not written, and the one before stays', () => {
  writeCheckpoint(folder, checkpoint)
  const said = withoutRoom(`
    import { writeCheckpoint } from ${here('./checkpoint.ts')}
    const vector = new Float32Array(100_000)
    const vectors = { theta: vector, m: vector, v: vector, average: vector, best: vector }
    try { writeCheckpoint(${JSON.stringify(folder)}, { run: 'b', step: 4, steps: 9, vectors }) }
    catch (error) { console.log(error.message) }`)
  expect(said).toContain(`the checkpoint of the training in ${folder} could not be written`)
  expect(readCheckpoint(folder)).toEqual(checkpoint)
  expect(existsSync(join(folder, 'checkpoint.next'))).toBe(false)
})

test('a model folder that finds no room is not there, not even in part', () => {
  const out = join(folder, 'model')
  const said = withoutRoom(`
    import { writeModelFolder } from ${here('../model/model-folder.ts')}
    import { graphsFolder } from ${here('../model/shipped.ts')}
    const theta = new Float32Array(100_000)
    const manifest = { id: 'x', trainedOn: [], serves: {}, scores: {} }
    try { writeModelFolder(${JSON.stringify(out)}, { graphs: graphsFolder, theta, report: {}, manifest }) }
    catch (error) { console.log(error.message) }`)
  expect(said).toContain(`the model folder ${out} could not be written`)
  expect(readdirSync(folder)).toEqual(['run.mjs'])
})
