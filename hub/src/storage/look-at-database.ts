import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { migrations } from './migrations.ts'

const program = fileURLToPath(new URL('./look-at-database-process.ts', import.meta.url))

export type DatabaseFacts = {
  /** How many steps made it; see `knownFormat`. */
  readonly format: number
  readonly servers: number
  /** When the first server was seen, ms. */
  readonly since: number | null
  /** When the newest sample arrived, ms. */
  readonly newest: number | null
  /** The model that was last put into service. */
  readonly serving: string | null
  readonly tables: number
}

export type DatabaseLook = {
  /** Undefined when not even these could be read. */
  readonly facts: DatabaseFacts | undefined
  /** Tables that were checked and are whole. */
  readonly whole: number
  /** What SQLite says of the first one that is not, or of the file. */
  readonly problem: string | undefined
  readonly isComplete: boolean
}

/** The format that this version writes. */
export const knownFormat = migrations.length

/** Looks at a database beside the hub that uses it, for so long and no longer. */
export const lookAtDatabase = (
  file: string,
  { ms }: { readonly ms: number },
): Promise<DatabaseLook> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, file],
      { timeout: ms, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const lines = stdout
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map(
            (line) =>
              JSON.parse(line) as DatabaseFacts & { table?: string; problem?: string | null },
          )
        const facts = lines.find(({ format }) => format !== undefined)
        const checked = lines.filter(({ table }) => table !== undefined)
        const said = lines.find(({ problem }) => typeof problem === 'string')?.problem
        const ended = error && !error.killed ? lastLine(stderr) || error.message : undefined
        resolve({
          facts,
          whole: checked.filter(({ problem }) => problem === null).length,
          problem: said ?? ended,
          isComplete: !error && facts !== undefined && checked.length === facts.tables,
        })
      },
    )
  })

/** Of a stack, the line that says what happened. */
const lastLine = (text: string): string =>
  text.split('\n').find((line) => /^\w*Error/.test(line)) ?? text.trim().split('\n').at(-1) ?? ''
