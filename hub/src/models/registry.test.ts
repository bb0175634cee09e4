import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeModelFolder } from '@harbinger/model-training/model/model-folder'
import { graphsFolder as graphs } from '@harbinger/model-training/model/shipped'
import { readGraphContract } from '@harbinger/model-training/onnx/training'
import type { ModelComparison } from '@harbinger/model-training/promotion/compare-models'
import { contractVersion } from '@harbinger/shared/version'
import { openStores } from '../storage/stores.ts'
import { exportModel, importModel } from './carry-model.ts'
import { gateConditions, holdsAll } from './gate.ts'
import { openRegistry } from './registry.ts'
import { parseTar, toTar } from './tar.ts'

const contract = readGraphContract(graphs)
const hour = 3_600_000
const start = Date.UTC(2026, 2, 2)

let folder: string
let stores: ReturnType<typeof openStores>
let at: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harbinger-models-'))
  stores = openStores(':memory:')
  at = start
  write(join(folder, 'base'), 'base-1')
})
afterEach(() => {
  stores.close()
  rmSync(folder, { recursive: true })
})

function write(out: string, id: string): void {
  mkdirSync(join(out, '..'), { recursive: true })
  const theta = Float32Array.from({ length: contract.thetaSize }, (_, i) => i % 7)
  writeModelFolder(out, {
    ...{ graphs, theta, report: { of: id } },
    manifest: {
      ...{ id, contractVersion, kind: 'tft', definition: contract.definition.sha256 },
      trainedAt: new Date((at += hour)).toISOString(),
      trainedOn: [],
      training: { seed: 1, steps: 1, minutes: 1, parent: null },
      ...{ metrics: [], scores: {}, serves: {} },
    },
  })
}

const open = (pinned?: string) =>
  openRegistry({
    ...{ dataFolder: folder, models: stores.models, pinned, graphs },
    now: () => (at += 1000),
    baseModel: join(folder, 'base'),
  })

const better: ModelComparison = {
  ...{ challenger: 'a', champion: 'base-1', history: 'own history', simulated: false },
  ...{ from: '', to: '', origins: 100, windows: 900, servers: 9 },
  wql: { challenger: 0.05, champion: 0.06 },
  gain: { figure: 0.16, low: 0.1, high: 0.2 },
  coverage80: { challenger: 0.8, champion: 0.8 },
  recall: { challenger: 0.8, champion: 0.8, incidents: 20, of: 'own history' },
  unknownProfile: { figure: 0.02, low: -0.01, high: 0.03 },
  run: {
    challenger: { msPerWindow: 1, difference: 1e-6, sound: true },
    champion: { msPerWindow: 1, difference: 1e-6, sound: true },
  },
}

function make(registry: ReturnType<typeof open>, id: string, comparison?: ModelComparison): void {
  write(registry.folderOf(id), id)
  registry.added(id, { kind: 'trained', by: 'operator', reason: 'a test' })
  if (comparison) registry.judged(id, { ...comparison, challenger: id })
}

describe('the gate', () => {
  const stateOf = (change: Partial<ModelComparison>, name: string) =>
    gateConditions({ ...better, ...change }, 'base-1').find((c) => c.name === name)!.state

  test('opens when every condition holds', () => {
    expect(holdsAll(gateConditions(better, 'base-1'))).toBe(true)
  })

  test.each<[string, string, string, Partial<ModelComparison>]>([
    ['skill gain', 'fails', 'its interval reaches 0', { gain: { figure: 0.1, low: 0, high: 0.2 } }],
    ['skill gain', 'unknown', 'nothing was scored', { gain: null }],
    [
      'coverage',
      'fails',
      'the band is too wide',
      { coverage80: { challenger: 0.831, champion: 0.8 } },
    ],
    ['coverage', 'fails', 'it is too narrow', { coverage80: { challenger: 0.769, champion: 0.8 } }],
    [
      'coverage',
      'unknown',
      'nothing was scored',
      { coverage80: { challenger: null, champion: 0.8 } },
    ],
    ['recall', 'fails', 'it foresees fewer', { recall: { ...better.recall, challenger: 0.79 } }],
    [
      'recall',
      'unknown',
      'there was no incident',
      { recall: { ...better.recall, challenger: null } },
    ],
    [
      'latency',
      'fails',
      'it is slow',
      { run: { ...better.run, challenger: { msPerWindow: 4.1, difference: 0, sound: true } } },
    ],
    [
      'parity',
      'fails',
      'it says another thing alone',
      { run: { ...better.run, challenger: { msPerWindow: 1, difference: 0.1, sound: true } } },
    ],
    [
      'parity',
      'fails',
      'some of its numbers are none',
      { run: { ...better.run, challenger: { msPerWindow: 1, difference: 0, sound: false } } },
    ],
    [
      'unknown profile',
      'fails',
      'it leans on the profile',
      { unknownProfile: { figure: -0.001, low: -0.1, high: 0.1 } },
    ],
    ['unknown profile', 'unknown', 'it was not measured', { unknownProfile: null }],
  ])('%s %s when %s', (name, state, _why, change) => {
    expect(stateOf(change, name)).toBe(state)
    expect(holdsAll(gateConditions({ ...better, ...change }, 'base-1'))).toBe(false)
  })

  test.each([
    ['was never compared', undefined, 'base-1', 'never compared'],
    ['could not be compared', { impossible: 'no manifest' }, 'base-1', 'no manifest'],
    ['was compared with another model', better, 'other', 'compared with base-1, but other serves'],
  ])('knows nothing of a model that %s', (_what, comparison, champion, why) => {
    const conditions = gateConditions(comparison, champion)
    expect(conditions.every(({ state }) => state === 'unknown')).toBe(true)
    expect(conditions[0]!.found).toContain(why)
  })
})

describe('the registry', () => {
  test('begins with the model that came with Harbinger, once', () => {
    open()
    const registry = open()
    expect(registry.serving()).toMatchObject({ id: 'base-1', problem: null })
    expect(registry.decisions(9).map(({ kind }) => kind)).toEqual(['began'])
  })

  test('another base model that an upgrade brought takes the place of the one before', () => {
    open()
    rmSync(join(folder, 'base'), { recursive: true })
    write(join(folder, 'base'), 'base-2')
    expect(open().serving()).toMatchObject({ id: 'base-2', problem: null })
    expect(open().serving().reason).toBe(
      'it came with this version of Harbinger, in place of base-1',
    )
  })

  test('promotes what holds every condition, keeps why, and goes back with one word', async () => {
    const registry = open()
    make(registry, 'a', better)
    expect(registry.challenger()!.manifest.id).toBe('a')
    expect(await registry.promote('a', { by: 'operator' })).toMatchObject({ id: 'a' })
    expect(registry.serving()).toMatchObject({ id: 'a', by: 'operator' })
    expect(registry.challenger()).toBeUndefined()
    const back = await registry.rollback({ by: 'operator', reason: 'it was odd' })
    expect(back).toMatchObject({ id: 'base-1' })
    expect(registry.serving()).toMatchObject({ id: 'base-1', reason: 'it was odd' })
    // What one went back from does not come again by going back once more.
    expect(await registry.rollback({ by: 'operator', reason: 'again' })).toHaveProperty('refused')
    expect(registry.decisions(9).map(({ kind, model }) => `${model} ${kind}`)).toEqual([
      ...['base-1 rolled back', 'a promoted', 'a judged', 'a trained', 'base-1 began'],
    ])
  })

  test('refuses what does not hold, says the figure, and can be forced with a reason that is kept', async () => {
    const registry = open()
    make(registry, 'a', { ...better, gain: { figure: -0.02, low: -0.05, high: 0.01 } })
    const refused = await registry.promote('a', { by: 'operator' })
    expect(refused).toMatchObject({ refused: expect.stringContaining('skill gain fails: -2.0 %') })
    expect(await registry.promote('a', { by: 'operator', force: ' ' })).toHaveProperty('refused')
    expect(registry.serving().id).toBe('base-1')
    await registry.promote('a', { by: 'operator', force: 'the fleet was rebuilt' })
    expect(registry.serving().reason).toContain('forced: the fleet was rebuilt (skill gain fails')
  })

  test('a model whose files do not match never serves, not even forced; the old one goes on', async () => {
    const registry = open()
    make(registry, 'a', better)
    truncateSync(join(registry.folderOf('a'), 'weights.bin'), 400)
    const refused = await registry.promote('a', { by: 'operator', force: 'whatever' })
    expect(refused).toMatchObject({ refused: expect.stringContaining('weights.bin has 400 bytes') })
    make(registry, 'b', better)
    const load = async () => 'the graph has other inputs'
    expect(await registry.promote('b', { by: 'operator', load })).toMatchObject({
      refused: expect.stringContaining('b was refused and base-1 goes on: the graph has other'),
    })
    expect(registry.serving().id).toBe('base-1')
    expect(registry.decisions(1)[0]).toMatchObject({ model: 'b', kind: 'refused' })
  })

  test('passes over a promoted model that was damaged since, and says so', async () => {
    const registry = open()
    make(registry, 'a', better)
    await registry.promote('a', { by: 'operator' })
    writeFileSync(join(registry.folderOf('a'), 'report.json'), '{}')
    expect(registry.serving()).toMatchObject({
      id: 'base-1',
      problem: expect.stringContaining('a should serve: '),
    })
  })

  test('keeps five versions, the one that serves and the one before among them', async () => {
    const registry = open()
    make(registry, 'm0', better)
    await registry.promote('m0', { by: 'operator' })
    for (let i = 1; i < 8; i++) make(registry, `m${i}`)
    expect(readdirSync(registry.folder).sort()).toEqual(['m0', 'm4', 'm5', 'm6', 'm7'])
    expect(registry.decisions(100).filter(({ kind }) => kind === 'removed')).toHaveLength(3)
  })

  test('with a model set by configuration promotes nothing', async () => {
    const registry = open(join(folder, 'base'))
    make(registry, 'a', better)
    expect(await registry.promote('a', { by: 'operator' })).toMatchObject({
      refused: expect.stringContaining('model.folder'),
    })
  })

  test('decisions cannot be changed or taken back', () => {
    open()
    const run = (sql: string) => () => stores.db.exec(sql)
    expect(run(`UPDATE model_decisions SET reason = 'x'`)).toThrow('append-only')
    expect(run('DELETE FROM model_decisions')).toThrow('append-only')
  })
})

describe('a model that is carried to another hub', () => {
  test('arrives as it was, and becomes a challenger that nothing is known of', () => {
    const registry = open()
    make(registry, 'a', better)
    const file = join(folder, 'a.tar')
    exportModel(registry.find('a') as never, file)
    expect(() => exportModel(registry.find('a') as never, file)).toThrow('is there already')
    const other = join(folder, 'other')
    expect(importModel(file, other, { graphs }).manifest.id).toBe('a')
    for (const name of readdirSync(registry.folderOf('a'))) {
      expect(readFileSync(join(other, 'a', name))).toEqual(
        readFileSync(join(registry.folderOf('a'), name)),
      )
    }
    expect(() => importModel(file, other, { graphs })).toThrow('a model a is here already')
  })

  const bytes = Buffer.from('{}')
  const rename = (name: string): Buffer => {
    // A name that toTar would not write: the archive is made by somebody else.
    const archive = toTar([{ name: 'x'.repeat(name.length), bytes }])
    archive.write(name, 0)
    let sum = 0
    for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : archive[i]!
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return archive
  }
  const linked = (): Buffer => {
    const archive = rename('weights.bin')
    archive.write('2', 156)
    const sum = archive.subarray(0, 512).reduce((a, b, i) => a + (i >= 148 && i < 156 ? 32 : b), 0)
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return archive
  }
  test.each<[string, () => Buffer, string]>([
    ['climbs out of its folder', () => rename('../../evil'), '"../../evil" is no plain name'],
    ['has an absolute name', () => rename('/etc/evil'), 'is no plain name'],
    ['names what no model has', () => rename('evil.sh'), 'does not belong to a model'],
    ['holds a link', linked, 'is no plain file'],
    ['is cut short', () => rename('report.json').subarray(0, 700), 'cut short'],
    ['is no archive', () => Buffer.alloc(2048, 65), 'no tar archive'],
    ['is a model without its manifest', () => rename('report.json'), 'no manifest.json'],
  ])('is refused when it %s, and leaves nothing behind', (_what, archive, reason) => {
    const file = join(folder, 'evil.tar')
    writeFileSync(file, archive())
    const models = join(folder, 'models')
    expect(() => importModel(file, models, { graphs })).toThrow(reason)
    expect(existsSync(models) ? readdirSync(models) : []).toEqual([])
    expect(existsSync(join(folder, 'evil'))).toBe(false)
  })

  test('of an id that would leave the folder is refused', () => {
    write(join(folder, 'strange'), '..')
    const file = join(folder, 'strange.tar')
    exportModel({ folder: join(folder, 'strange') } as never, file)
    expect(() => importModel(file, join(folder, 'models'), { graphs })).toThrow(
      'is no id of a model',
    )
  })

  test('of more bytes than a model has is not even read', () => {
    const file = join(folder, 'huge.tar')
    writeFileSync(file, '')
    truncateSync(file, 300 * 2 ** 20)
    expect(() => importModel(file, join(folder, 'models'), { graphs })).toThrow('at most 268435456')
    symlinkSync(file, join(folder, 'link.tar'))
    expect(() => importModel(join(folder, 'link.tar'), folder, { graphs })).toThrow('at most')
  })

  test('the archive is what every tar reads', () => {
    const files = [{ name: 'a.json', bytes: Buffer.from('x'.repeat(700)) }]
    expect(parseTar(toTar(files)).map(({ name, bytes }) => [name, bytes.length])).toEqual([
      ['a.json', 700],
    ])
  })
})
