import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Calibration, CalibrationSchema } from '@harbinger/shared/forecast/calibration'
import type { Manifest } from '@harbinger/shared/model'
import { Compile } from 'typebox/compile'

const CalibrationFile = Compile(CalibrationSchema)

/** A line per cell, so that a change can be read. */
export function calibrationText({ cells, ...rest }: Calibration): string {
  const lines = (list: readonly object[]): string =>
    list.length === 0 ? '[]' : `[\n${list.map((one) => JSON.stringify(one)).join(',\n')}\n]`
  const head = JSON.stringify(rest).slice(0, -1)
  return `${head},\n"cells": ${lines(cells)}}\n`
}

/** The calibration of a model folder, or what is wrong with it. */
export function readCalibration(folder: string): Calibration | { readonly refused: string } {
  const calibration = parseJson(readFileSync(join(folder, 'calibration.json'), 'utf8'))
  if (CalibrationFile.Check(calibration)) return calibration
  const [first] = CalibrationFile.Errors(calibration)
  return {
    refused: `calibration.json is not a calibration (${first?.instancePath ?? ''} ${first?.message ?? ''})`,
  }
}

/** Gives a model folder a calibration in place of its own; the weights stay. Also of a folder that has none yet. */
export function rewriteCalibration(folder: string, calibration: Calibration): void {
  const path = join(folder, 'manifest.json')
  const manifest = readManifest(folder)
  const text = calibrationText(calibration)
  const hash = createHash('sha256').update(text).digest('hex')
  replace(join(folder, 'calibration.json'), text)
  const files = { ...manifest.files, 'calibration.json': hash }
  replace(path, `${JSON.stringify({ ...manifest, files }, null, 2)}\n`)
}

/** Unchecked: of a folder that may lack its calibration. */
export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest

function replace(file: string, text: string): void {
  writeFileSync(`${file}.next`, text)
  renameSync(`${file}.next`, file)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
