import { readModelFolder, type ModelFolder } from '../model/model-folder.ts'
import { graphsFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import type { Model } from './collect.ts'

export type OpenModels = {
  readonly folders: readonly ModelFolder[]
  readonly models: readonly Model[]
  readonly close: () => Promise<void>
}

/** Opens model folders to be judged; throws with the reason when one is refused. */
export async function openModels(
  folders: readonly string[],
  {
    threads = 2,
    graphs = graphsFolder,
  }: { readonly threads?: number; readonly graphs?: string } = {},
): Promise<OpenModels> {
  const found = folders.map((folder) => {
    const read = readModelFolder(folder, { graphs })
    if ('refused' in read) throw new Error(read.refused)
    return read
  })
  const models: Model[] = []
  for (const { folder, manifest } of found) {
    models.push({ id: manifest.id, inference: await openInference(folder, { threads }) })
  }
  return {
    folders: found,
    models,
    close: async () => {
      for (const { inference } of models) await inference.close()
    },
  }
}

/** Until when (ms) a model learnt from a history of this name; undefined when it never did. */
export function learntUntil({ manifest }: ModelFolder, history: string): number | undefined {
  const spans = manifest.trainedOn.filter(({ name }) => name === history)
  return spans.length > 0 ? Math.max(...spans.map(({ to }) => Date.parse(to))) : undefined
}
