import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ModelFolder, readModelFolder } from '@harbinger/model-training/model/model-folder'
import { modelFiles } from '@harbinger/shared/model'

type Found = ModelFolder | { readonly refused: string }

/**
 * Reads model folders and remembers what it found while no file of a folder changes: hashing some megabytes takes
 * longer than the hub's loop may wait. The worker that loads a model checks it again, without memory.
 */
export function cachedReader(graphs: string): (folder: string) => Found {
  const known = new Map<string, { readonly state: string; readonly found: Found }>()
  return (folder) => {
    const state = ['manifest.json', ...modelFiles]
      .map((name) => fileState(join(folder, name)))
      .join()
    const before = known.get(folder)
    if (before?.state === state) return before.found
    const found = readModelFolder(folder, { graphs })
    known.set(folder, { state, found })
    return found
  }
}

function fileState(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${stat.mtimeMs}:${stat.ctimeMs}:${stat.size}` : '-'
}

/** The folders in the folder of models that are not half-written. */
export const modelFolders = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .filter((name) => !/\.(next|draft|checkpoints|incoming)$/.test(name))
        .map((name) => join(folder, name))
    : []

/** Newest first; what is refused comes last. */
export const byAge = (a: Found, b: Found): number => ageOf(b) - ageOf(a)
const ageOf = (found: Found): number =>
  'refused' in found ? -1 : Date.parse(found.manifest.trainedAt)
