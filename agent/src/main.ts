import { writeSync } from 'node:fs'
import type { Clock } from './clock.ts'
import { type Config, loadConfig, noHub } from './config.ts'
import { openLog } from './log.ts'

const clock: Clock = {
  now: Date.now,
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** EX_CONFIG: the unit takes it for an end without failure, and does not start the agent again. */
const notJoined = 78

const logOf = ({ logLevel }: Config) =>
  // Synchronous: the last lines before a crash are the ones that matter.
  openLog({ level: logLevel, now: clock.now, write: (line) => void writeSync(2, line) })

/** The command that stays: samples until a signal stops it. */
async function run(file: string | undefined) {
  const config = await loadConfig({ file })
  const log = logOf(config)
  if (config.hub === noHub) {
    log.warn(
      {},
      'this server has joined no hub yet: "harbinger token create" on the hub prints the line to run here as root, which also starts the agent',
    )
    process.exit(notJoined)
  }
  const { openAgent } = await import('./agent.ts')
  const agent = await openAgent(config, clock, log)
  const stop = (signal: string) => {
    // A second signal ends a goodbye that takes too long.
    process.once(signal, () => process.exit(1))
    log.info({ signal }, 'agent stops')
    agent.close().then(
      () => process.exit(0),
      (error: Error) => {
        log.error({ reason: error.message }, 'the agent did not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.once('SIGINT', () => stop('SIGINT'))
  process.once('SIGTERM', () => stop('SIGTERM'))
}

try {
  const [command, option, file, ...rest] = process.argv.slice(2)
  const isPlain = option === undefined || (option === '--config' && file && rest.length === 0)
  // How services start the agent: read without commander, which stays in memory as long as the agent does (2 MB).
  if (command === 'run' && isPlain) await run(file)
  else {
    const { openProgram } = await import('./commands/program.ts')
    await openProgram({ clock, logOf, run, end: (code) => process.exit(code) }).parseAsync()
  }
} catch (error) {
  process.stderr.write(`harbinger-agent: ${(error as Error).message}\n`)
  process.exit(1)
}
