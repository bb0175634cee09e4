/** `npm run package`: sets up, then runs installers/package/main.ts on the pinned Node. */
import { spawnSync } from 'node:child_process'
import { childEnvironment, fail, pinnedNode, root, setUp } from './set-up.mjs'

try {
  setUp()
  const { status } = spawnSync(
    pinnedNode(),
    ['installers/package/main.ts', ...process.argv.slice(2)],
    { cwd: root, env: childEnvironment(), stdio: 'inherit' },
  )
  process.exitCode = status ?? 1
} catch (error) {
  fail(error)
}
