import { systemClock } from './clock.ts'
import { runCommand } from './commands/program.ts'

/** `harbinger …`: the one place that knows the time and ends the process. */
const clock = systemClock(() => Date.now())

runCommand(process.argv.slice(2), clock)
  .then((code) => process.exit(code))
  .catch((error: unknown) => {
    process.stderr.write(`harbinger: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  })
