import { spawnSync } from 'node:child_process'

type Options = {
  readonly cwd?: string
  readonly env?: { readonly [name: string]: string | undefined }
  /** How to get the tool when it is missing. */
  readonly hint?: string
}

/** Runs a program of the building machine and answers what it printed; throws with what it complained of. */
export function runTool(
  command: string,
  args: readonly string[],
  { cwd, env, hint }: Options = {},
): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env } as NodeJS.ProcessEnv,
  })
  if (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(
      isMissing ? `${command} is not installed${hint ? `: ${hint}` : ''}` : error.message,
      { cause: error },
    )
  }
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} failed (${signal ?? `exit ${status}`})\n${`${stdout}${stderr}`.slice(-4000)}`,
    )
  }
  return stdout
}
