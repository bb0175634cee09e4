/** `npm run bench -- NAME`: sets up, then runs tests/bench/bench.ts on the pinned Node. */
import { spawnSync } from 'node:child_process'
import { childEnvironment, fail, pinnedNode, root, setUp } from './set-up.mjs'

try {
  setUp()
  const { status } = spawnSync(pinnedNode(), ['tests/bench/bench.ts', ...process.argv.slice(2)], {
    cwd: root,
    env: childEnvironment(),
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} catch (error) {
  fail(error)
}
