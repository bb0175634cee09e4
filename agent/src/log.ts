/** What an agent tells the person who runs it, in fields and one sentence. */
export type Log = {
  readonly [level in LogLevel]: (fields: object, message: string) => void
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof logLevels)[number]

/** The numbers pino gives the levels. */
const severity: { readonly [level in LogLevel]: number } = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
}

type Options = {
  readonly level: LogLevel
  readonly now: () => number
  readonly write: (line: string) => void
}

/**
 * Writes pino's line format, so that the lines of agent and hub can be read by the same programs. Not pino itself:
 * loading it costs 5 MB of memory (2.3 MB of them private), a tenth of what an agent may have.
 */
export function openLog({ level, now, write }: Options): Log {
  const at =
    (own: LogLevel) =>
    (fields: object, msg: string): void => {
      if (severity[own] < severity[level]) return
      write(`${JSON.stringify({ level: severity[own], time: now(), ...fields, msg })}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
