import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Finding } from '@harbinger/shared/findings'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export type Doctored = {
  readonly code: number
  readonly findings: readonly Finding[]
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

type Options = {
  readonly env?: { readonly [name: string]: string }
  readonly cwd: string
  /** Words before the program: another name space, another user. */
  readonly through?: readonly string[]
}

/** `harbinger-agent doctor` or `harbinger doctor` as it is run, in a process of its own. */
export function runDoctor(
  product: 'agent' | 'hub',
  args: readonly string[],
  { env = {}, cwd, through = [] }: Options,
): Promise<Doctored> {
  const main = at(`../../${product}/src/main.ts`)
  const words = [...through, process.execPath, main, 'doctor', ...args]
  const from = performance.now()
  return new Promise((resolve) => {
    execFile(
      words[0]!,
      words.slice(1),
      { cwd, env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...env } },
      (error, stdout, stderr) =>
        resolve({
          code: typeof error?.code === 'number' ? error.code : error ? 1 : 0,
          findings:
            args.includes('--json') && stdout !== '' ? (JSON.parse(stdout) as Finding[]) : [],
          ...{ stdout, stderr, ms: performance.now() - from },
        }),
    )
  })
}

/**
 * Why a test that changes the system cannot run here. A program that is missing fails in CI, which installs it; that a
 * container's root may not mount or make networks does not.
 */
export function needsRoot(...programs: (readonly string[])[]): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has it'
  if (process.getuid?.() !== 0) return 'only root may do it'
  return programs.map(whyNot).find((problem) => problem !== undefined)
}

function whyNot(words: readonly string[]): string | undefined {
  try {
    sh(...words)
    return undefined
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing && process.env.CI === 'true') {
      throw new Error(`${words[0]} is not installed, and CI has to test it`, { cause: error })
    }
    return isMissing ? `${words[0]} is not installed` : `${words.join(' ')} fails`
  }
}

export const sh = (...words: readonly string[]): string =>
  execFileSync(words[0]!, words.slice(1), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
