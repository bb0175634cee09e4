import {
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
import { explainDisk } from '@harbinger/model-training/model/explain-disk'
import { type ModelFolder, readModelFolder } from '@harbinger/model-training/model/model-folder'
import { graphsFolder } from '@harbinger/model-training/model/shipped'
import { modelFiles } from '@harbinger/shared/model'
import { isSafeId } from './registry.ts'
import { parseTar, toTar } from './tar.ts'

/** A model folder is some 10 MB; far more is none. */
const mostBytes = 256 * 2 ** 20

/** The files of a model: those that its manifest vouches for, and the manifest itself. */
const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder).filter(
    (name) => name === 'manifest.json' || (modelFiles as readonly string[]).includes(name),
  )

/** Writes a checked model into one file, to be carried to another hub. */
export function exportModel({ folder }: ModelFolder, file: string): void {
  const archive = toTar(
    filesOf(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) })),
  )
  try {
    writeFileSync(file, archive, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Error(`${file} is there already: name another file, or remove it first`)
    }
    throw explainDisk(error, file)
  }
}

/**
 * Takes a model from a file into `modelsFolder`, whole or not at all. Throws with the reason when it is no model of
 * this Harbinger, was changed on the way, or is here already.
 */
export function importModel(
  file: string,
  modelsFolder: string,
  { graphs = graphsFolder }: { readonly graphs?: string } = {},
): ModelFolder {
  const refuse = (reason: string): Error => new Error(`${file} is not imported: ${reason}`)
  if (!existsSync(file)) throw refuse('there is no such file')
  const { size } = statSync(file)
  if (size > mostBytes) throw refuse(`it has ${size} bytes, at most ${mostBytes} are read`)
  let files
  try {
    files = parseTar(readFileSync(file))
  } catch (error) {
    throw refuse((error as Error).message)
  }
  const known: readonly string[] = ['manifest.json', ...modelFiles]
  const strange = files.find(({ name }) => !known.includes(name))
  if (strange) throw refuse(`${strange.name} does not belong to a model`)
  const incoming = join(modelsFolder, `${process.pid}.incoming`)
  try {
    rmSync(incoming, { recursive: true, force: true })
    mkdirSync(incoming, { recursive: true })
    for (const { name, bytes } of files) writeFileSync(join(incoming, name), bytes)
    const found = readModelFolder(incoming, { graphs })
    if ('refused' in found) throw refuse(found.refused.replace(`${incoming}: `, ''))
    const { id } = found.manifest
    if (!isSafeId(id)) throw refuse(`${JSON.stringify(id)} is no id of a model`)
    const folder = join(modelsFolder, id)
    if (existsSync(folder)) throw refuse(`a model ${id} is here already`)
    renameSync(incoming, folder)
    return { ...found, folder }
  } catch (error) {
    throw explainDisk(error, `the model from ${file}`)
  } finally {
    rmSync(incoming, { recursive: true, force: true })
  }
}
