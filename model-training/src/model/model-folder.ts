import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Calibration, noCalibration } from '@harbinger/shared/forecast/calibration'
import { type Manifest, ManifestSchema, modelFiles } from '@harbinger/shared/model'
import { contractMismatch } from '@harbinger/shared/version'
import { Compile } from 'typebox/compile'
import { readGraphContract } from '../onnx/training.ts'
import { calibrationText, readCalibration } from './calibration-file.ts'
import { explainDisk } from './explain-disk.ts'

const ManifestFile = Compile(ManifestSchema)

/** A trained model on disk whose files are what its manifest says. */
export type ModelFolder = {
  readonly folder: string
  readonly manifest: Manifest
  /** What its forecasts are corrected by. */
  readonly calibration: Calibration
}

/** Writes a model folder whole or not at all: it appears under its name when every file is there. */
export function writeModelFolder(
  folder: string,
  {
    graphs,
    theta,
    report,
    calibration = noCalibration,
    manifest,
  }: {
    readonly graphs: string
    readonly theta: Float32Array
    readonly report: object
    /** Default: one that corrects nothing. */
    readonly calibration?: Calibration | undefined
    readonly manifest: Omit<Manifest, 'files'>
  },
): ModelFolder {
  const next = `${folder}.next`
  try {
    rmSync(next, { recursive: true, force: true })
    mkdirSync(next, { recursive: true })
    copyFileSync(join(graphs, 'infer.onnx'), join(next, 'infer.onnx'))
    writeFileSync(
      join(next, 'weights.bin'),
      new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength),
    )
    writeFileSync(join(next, 'calibration.json'), calibrationText(calibration))
    writeFileSync(join(next, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
    const files = Object.fromEntries(modelFiles.map((name) => [name, sha256(join(next, name))]))
    const whole: Manifest = { ...manifest, files }
    writeFileSync(join(next, 'manifest.json'), `${JSON.stringify(whole, null, 2)}\n`)
    rmSync(folder, { recursive: true, force: true })
    renameSync(next, folder)
    return { folder, manifest: whole, calibration }
  } catch (error) {
    rmSync(next, { recursive: true, force: true })
    throw explainDisk(error, `the model folder ${folder}`)
  }
}

/**
 * Reads a model folder and checks it against this hub: schema, contract version, definition of the network, size of
 * the weights, hash of every file. What does not match is named, for the hub to say and keep its old model.
 */
export function readModelFolder(
  folder: string,
  { graphs }: { readonly graphs: string },
): ModelFolder | { readonly refused: string } {
  const refused = (reason: string) => ({ refused: `${folder}: ${reason}` })
  const path = join(folder, 'manifest.json')
  if (!existsSync(path)) return refused('no manifest.json')
  const manifest = parseJson(readFileSync(path, 'utf8'))
  if (!ManifestFile.Check(manifest)) {
    const [first] = ManifestFile.Errors(manifest)
    return refused(
      `manifest.json is not a manifest (${first?.instancePath ?? ''} ${first?.message ?? ''})`,
    )
  }
  const mismatch = contractMismatch(manifest.contractVersion)
  if (mismatch !== undefined) return refused(mismatch)
  const contract = readGraphContract(graphs)
  if (manifest.definition !== contract.definition.sha256) {
    return refused(
      `made by network definition ${manifest.definition.slice(0, 12)}…, expected ` +
        `${contract.definition.sha256.slice(0, 12)}…: train it again with this version`,
    )
  }
  for (const name of modelFiles) {
    const file = join(folder, name)
    if (!existsSync(file)) return refused(`${name} is missing`)
    if (name === 'weights.bin' && statSync(file).size !== contract.thetaSize * 4) {
      return refused(
        `weights.bin has ${statSync(file).size} bytes, expected ${contract.thetaSize * 4}`,
      )
    }
    const found = sha256(file)
    if (found !== manifest.files[name]) {
      return refused(
        `${name} has SHA-256 ${found.slice(0, 12)}…, the manifest says ${manifest.files[name]?.slice(0, 12) ?? 'nothing'}…`,
      )
    }
  }
  const calibration = readCalibration(folder)
  if ('refused' in calibration) return refused(calibration.refused)
  return { folder, manifest, calibration }
}

/** The weights of a checked model, to go on training from. */
export function readWeights(folder: string): Float32Array {
  const bytes = readFileSync(join(folder, 'weights.bin'))
  return new Float32Array(new Uint8Array(bytes).buffer)
}

/** All model folders in `dir`, newest first; one that this hub refuses is listed with the reason. */
export function listModels(
  dir: string,
  { graphs }: { readonly graphs: string },
): readonly (ModelFolder | { readonly refused: string })[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/\.(next|draft|checkpoints)$/.test(entry.name))
    .map((entry) => readModelFolder(join(dir, entry.name), { graphs }))
    .sort((a, b) => trainedAt(b) - trainedAt(a))
}

const trainedAt = (model: ModelFolder | { readonly refused: string }): number =>
  'refused' in model ? -1 : Date.parse(model.manifest.trainedAt)

const sha256 = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
