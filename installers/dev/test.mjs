/**
 * `npm test`: sets up, then every check and test. Arguments are passed to vitest (`npm test -- shared`), which then
 * runs alone.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { childEnvironment, fail, pinnedNode, root, runStep, setUp } from './set-up.mjs'

const bin = (name) => join('node_modules', name)

const noSecondTry = '// No second try:'

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

/** Runs vitest; `failure` is its error where it did not pass, `results` what its JSON reporter wrote. */
function runTests(node, env, args) {
  const report = join('node_modules', '.harbinger-tests.json')
  rmSync(join(root, report), { force: true })
  const vitest = [bin('vitest/vitest.mjs'), 'run', '--config=.config/vitest.config.ts']
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile=${report}`]
  let failure
  try {
    runStep('tests (vitest)', node, [...vitest, ...reporters, ...args], { env, show: true })
  } catch (error) {
    failure = error
    if (!existsSync(join(root, report))) throw error
  }
  return { failure, results: JSON.parse(readFileSync(join(root, report), 'utf8')) }
}

/**
 * On a shared machine a process can be starved at any moment, so with CI=true the few files with a failed test run
 * once more: by themselves and from nothing, as what the first try left behind would fail the second. The names of what
 * needed it are told: they are to be mended. A file that says "no second try" (of tests that nothing is lost) gets none.
 */
function passesOnSecondTry(node, env, { testResults }) {
  const failed = testResults.filter(({ status }) => status === 'failed')
  if (process.env.CI !== 'true' || failed.length === 0 || failed.length > 3) return false
  const files = failed.map(({ name }) => relative(root, name))
  const once = files.filter((file) => readFileSync(join(root, file), 'utf8').includes(noSecondTry))
  if (once.length > 0) {
    process.stdout.write(`no second try is given to ${once.join(', ')}\n`)
    return false
  }
  process.stdout.write(`second try, alone: ${files.join(', ')}\n`)
  const { failure } = runTests(node, env, ['--no-file-parallelism', ...files])
  if (failure) return false
  const names = failed.flatMap(({ name, assertionResults }) => {
    const tests = assertionResults.filter(({ status }) => status === 'failed')
    // A file whose set-up failed has no failed test of its own.
    return (tests.length > 0 ? tests : [{ fullName: 'its set-up' }]).map(
      ({ fullName }) => `  ${relative(root, name)} > ${fullName}`,
    )
  })
  process.stdout.write(`passed on the second try, to be mended:\n${names.join('\n')}\n`)
  return true
}

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
  const { failure, results } = runTests(node, env, only)
  const { numPassedTests, numFailedTests, numPendingTests } = results
  process.stdout.write(
    `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`,
  )
  if (failure && !passesOnSecondTry(node, env, results)) throw failure
} catch (error) {
  fail(error)
}
