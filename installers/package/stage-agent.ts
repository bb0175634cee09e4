import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Tree } from './tree.ts'
import { repository } from './target.ts'

/** The built agent: one file for what it runs, others for what it seldom loads. */
export function stageAgent(tree: Tree, folder: string): void {
  const built = join(repository, 'agent/dist')
  for (const file of readdirSync(built).filter((name) => name.endsWith('.js'))) {
    tree.copy(join(built, file), `${folder}/${file}`)
  }
  // The files are ES modules, whatever lies above them.
  tree.write(`${folder}/package.json`, '{ "type": "module" }\n')
}
