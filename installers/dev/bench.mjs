/** `npm run bench -- NAME`: sets up, then runs tests/bench/bench.ts on the pinned Node. */
import { spawnSync } from 'node:child_process'
import {
  childEnvironment,
  fail,
  keepCompiled,
  nodeFlags,
  pinnedNode,
  root,
  setUp,
} from './set-up.mjs'

try {
  setUp()
  // Started as a hub is: most benches hold one.
  const args = [...nodeFlags('hub'), 'tests/bench/bench.ts', ...process.argv.slice(2)]
  const { status } = spawnSync(pinnedNode(), args, {
    cwd: root,
    env: { ...childEnvironment(), ...keepCompiled },
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} catch (error) {
  fail(error)
}
