/** `npm run bench -- NAME`: sets up, then runs tests/bench/bench.ts on the pinned Node. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment, fail, pinnedNode, root, setUp } from './set-up.mjs'

try {
  setUp()
  // Started as a hub is: most benches hold one.
  const flags = JSON.parse(readFileSync(join(root, 'hub', 'node-flags.json'), 'utf8'))
  const args = [...flags, 'tests/bench/bench.ts', ...process.argv.slice(2)]
  const { status } = spawnSync(pinnedNode(), args, {
    cwd: root,
    env: {
      ...childEnvironment(),
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.harbinger-compiled'),
    },
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} catch (error) {
  fail(error)
}
