import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from './node-runtime.ts'
import { runTool } from './run-tool.ts'
import { stageAgent } from './stage-agent.ts'
import { repository } from './target.ts'
import { openTree } from './tree.ts'

type Options = { readonly version: string; readonly folder: string; readonly outFolder: string }

/** The agent as an npm package without dependencies, for `npx` on systems that have no package of ours. */
export function buildNpmArchive({ version, folder, outFolder }: Options): string {
  const tree = openTree(folder)
  stageAgent(tree, 'dist')
  tree.copy(join(repository, 'agent/bin/harbinger-agent.mjs'), 'bin/harbinger-agent.mjs', 0o755)
  tree.copy(join(repository, 'agent/node-flags.json'), 'node-flags.json')
  tree.copy(join(repository, 'LICENSE'), 'LICENSE')
  const { license } = JSON.parse(readFileSync(join(repository, 'agent/package.json'), 'utf8')) as {
    license: string
  }
  const manifest = {
    name: 'harbinger-agent',
    version,
    description: 'Sends how this server is doing to a Harbinger hub',
    license,
    type: 'module',
    bin: { 'harbinger-agent': 'bin/harbinger-agent.mjs' },
    files: ['bin', 'dist', 'node-flags.json'],
    engines: { node: '>=20' },
  }
  tree.write('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
  const [command, before] = npm()
  const answer = JSON.parse(
    runTool(command, [...before, 'pack', '--json', '--pack-destination', outFolder], {
      cwd: folder,
    }),
  ) as { filename: string }[]
  return join(outFolder, answer[0]!.filename)
}
