import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { contractVersion } from '@harbinger/shared/version'
import { type CalibrationCell, noCalibration } from '@harbinger/shared/forecast/calibration'
import type { Manifest } from '@harbinger/shared/model'
import { rewriteCalibration } from './calibration-file.ts'
import { readGraphContract } from '../onnx/training.ts'
import { listModels, readModelFolder, readWeights, writeModelFolder } from './model-folder.ts'
import { baseModelFolder, graphsFolder } from './shipped.ts'

const dir = mkdtempSync(join(tmpdir(), 'models-'))
afterAll(() => rmSync(dir, { recursive: true }))

const contract = readGraphContract(graphsFolder)
const theta = Float32Array.from({ length: contract.thetaSize }, (_, i) => i % 7)

const manifest: Omit<Manifest, 'files'> = {
  ...{ id: 'tft-1', contractVersion, kind: 'tft', definition: contract.definition.sha256 },
  trainedAt: '2025-02-03T00:00:00.000Z',
  trainedOn: [],
  training: { seed: 1, steps: 1, minutes: 1, parent: null },
  ...{ metrics: [], scores: {}, serves: {} },
}

const folder = join(dir, 'tft-1')
const graphs = graphsFolder
const read = () => readModelFolder(folder, { graphs })

beforeEach(() => {
  writeModelFolder(folder, { graphs, theta, report: {}, manifest })
})

function changeManifest(change: object): void {
  const path = join(folder, 'manifest.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
}

const cell = {
  ...{ contender: 'model', profile: null, metric: null, target: 'step', bucket: 0, points: 200 },
  shift: [-0.2, -0.1, 0, 0, 0, 0.1, 0.2],
} satisfies CalibrationCell
const far = [-21, 0, 0, 0, 0, 0, 0]

describe('a model folder', () => {
  test('keeps its calibration, and takes another one with its hash', () => {
    expect(read()).toMatchObject({ calibration: noCalibration })
    const calibration = { ...noCalibration, cells: [cell] }
    rewriteCalibration(folder, calibration)
    expect(read()).toMatchObject({ manifest: { id: 'tft-1' }, calibration })
  })

  test('that was written is read again, with its weights', () => {
    expect(read()).toMatchObject({ folder, manifest: { id: 'tft-1' } })
    expect(readWeights(folder)).toEqual(theta)
  })

  test.each([
    ['there is no manifest', () => rmSync(join(folder, 'manifest.json')), 'no manifest.json'],
    [
      'the manifest is no JSON',
      () => writeFileSync(join(folder, 'manifest.json'), '{'),
      'not a manifest',
    ],
    ['the manifest lacks its kind', () => changeManifest({ kind: 'arima' }), 'not a manifest'],
    [
      'a metric is served by nobody it knows',
      () => changeManifest({ serves: { load_average: { contender: 'arima', reason: 'good' } } }),
      'not a manifest (/serves/load_average/contender',
    ],
    [
      'it says who serves in the words of an older version',
      () => changeManifest({ serves: { load_average: { model: true, reason: 'good' } } }),
      'not a manifest (/serves/load_average',
    ],
    [
      'a profile is none',
      () => {
        const choice = { contender: 'model', reason: 'good' }
        changeManifest({ serves: { load_average: { ...choice, profiles: { mainframe: choice } } } })
      },
      'not a manifest (/serves/load_average/profiles',
    ],
    [
      'the contract is another',
      () => changeManifest({ contractVersion: '9.0.0' }),
      'contract 9.0.0',
    ],
    [
      'the network is another',
      () => changeManifest({ definition: '0'.repeat(64) }),
      'network definition 000000000000…',
    ],
    ['a file is missing', () => rmSync(join(folder, 'infer.onnx')), 'infer.onnx is missing'],
    [
      'a file was changed',
      () => writeFileSync(join(folder, 'report.json'), '{"wql":0}'),
      'report.json has SHA-256',
    ],
    [
      'the calibration is none',
      () => rewriteCalibration(folder, { ...noCalibration, version: 2 as 1 }),
      'calibration.json is not a calibration (/version',
    ],
    [
      'the calibration moves a quantile out of all bounds',
      () => rewriteCalibration(folder, { ...noCalibration, cells: [{ ...cell, shift: far }] }),
      'calibration.json is not a calibration (/cells/0/shift/0',
    ],
    [
      'the weights are too few',
      () => truncateSync(join(folder, 'weights.bin'), 400),
      `weights.bin has 400 bytes, expected ${contract.thetaSize * 4}`,
    ],
  ])('is refused, and told why, when %s', (_what, spoil, reason) => {
    spoil()
    expect(read()).toEqual({ refused: expect.stringContaining(reason) })
  })

  test('may name a contender for each metric and profile', () => {
    const choice = { contender: 'model', reason: 'better' }
    const profiles = { database: { contender: 'theta-like', reason: 'best there' } }
    changeManifest({ serves: { load_average: { ...choice, profiles }, cpu_idle_pct: choice } })
    expect(read()).toHaveProperty('manifest')
  })

  test('that ships with Harbinger is one', () => {
    expect(readModelFolder(baseModelFolder, { graphs })).toHaveProperty('manifest')
  })

  test('is listed with the others, the newest first, the refused with the reason', () => {
    const older = { ...manifest, id: 'tft-0', trainedAt: '2025-01-01T00:00:00.000Z' }
    writeModelFolder(join(dir, 'tft-0'), { graphs, theta, report: {}, manifest: older })
    writeModelFolder(join(dir, 'tft-2'), { graphs, theta, report: {}, manifest })
    rmSync(join(dir, 'tft-2', 'weights.bin'))
    const listed = listModels(dir, { graphs })
    expect(listed.map((model) => ('refused' in model ? 'refused' : model.manifest.id))).toEqual([
      'tft-1',
      'tft-0',
      'refused',
    ])
    expect(listModels(join(dir, 'nowhere'), { graphs })).toEqual([])
  })
})
