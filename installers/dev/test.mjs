/**
 * `npm test`: sets up, then every check and test. Arguments are passed to vitest (`npm test -- shared`), which then
 * runs alone.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment, fail, pinnedNode, root, runStep, setUp } from './set-up.mjs'

const bin = (name) => join('node_modules', name)

const checks = [
  ['format (prettier)', bin('prettier/bin/prettier.cjs'), ['--check', '--log-level=warn', '.']],
  ['lint (eslint)', bin('eslint/bin/eslint.js'), ['--config', '.config/eslint.config.js', '.']],
  ['types (tsc)', bin('typescript/bin/tsc'), ['-p', '.']],
  [
    'types of the fleet view (svelte-check)',
    bin('svelte-check/bin/svelte-check'),
    ['--tsconfig', 'ui/tsconfig.json', '--threshold', 'warning'],
  ],
]

try {
  setUp()
  const node = pinnedNode()
  const env = childEnvironment()
  const only = process.argv.slice(2)
  if (only.length === 0) {
    for (const [what, file, args] of checks) {
      process.stdout.write(`${what}: `)
      process.stdout.write(`${runStep(what, node, [file, ...args], { env }).toFixed(1)} s\n`)
    }
  }
  const report = join('node_modules', '.harbinger-tests.json')
  let failure
  try {
    runStep(
      'tests (vitest)',
      node,
      [
        bin('vitest/vitest.mjs'),
        'run',
        '--config=.config/vitest.config.ts',
        '--reporter=default',
        '--reporter=json',
        '--reporter=./.config/second-try-reporter.ts',
        `--outputFile=${report}`,
        ...only,
      ],
      { env, show: true },
    )
  } catch (error) {
    failure = error
  }
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
    readFileSync(join(root, report), 'utf8'),
  )
  process.stdout.write(
    `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`,
  )
  if (failure) throw failure
} catch (error) {
  fail(error)
}
