import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** The names of those that this machine lacks. */
export const missingTools = (...names: readonly string[]): string[] =>
  names.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)

/**
 * Why the tests of a file cannot run here; undefined when they can. Where CI runs them nothing may be missing: the test
 * that is made then fails with the reason.
 */
export function reasonToSkip(reasons: readonly (string | false | undefined)[]): string | undefined {
  const all = reasons.filter(Boolean).join('; ')
  if (all === '') return undefined
  process.stderr.write(`SKIPPED: ${all}\n`)
  test.runIf(process.env['CI'] === 'true')('continuous integration has what these tests need', () =>
    expect(all).toBe(''),
  )
  return all
}

export const lacks = (...tools: readonly string[]): string | undefined => {
  const missing = missingTools(...tools)
  return missing.length > 0 ? `${missing.join(', ')} not installed` : undefined
}

/** Runs a program and answers what it said; throws with what it complained of. */
export function run(command: string, args: readonly string[], options: Options = {}): string {
  const { status, stdout, stderr, error, signal } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    // A program that waits for an answer gets none.
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...options,
  })
  if (error) throw error
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')}: ${signal ?? `exit ${status}`}\n${`${stdout}${stderr}`.slice(-3000)}`,
    )
  }
  return stdout
}

type Options = {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}
