import type { Command } from 'commander'
import { openProgram as openAgentProgram } from '../../agent/src/commands/program.ts'
import { openProgram as openHubProgram } from '../../hub/src/commands/program.ts'
import type { ProductName } from './target.ts'

/** The command line of a product, to be described; it is never run. */
export function commandTree(product: ProductName): Command {
  const never = (): never => {
    throw new Error('this command line is there to be described')
  }
  const clock = { now: never, monotonicMs: never, after: never, every: never }
  return product === 'harbinger-agent'
    ? openAgentProgram({ clock, logOf: never, run: never, end: never })
    : openHubProgram(clock)
}

/** The commands under one, without the built-in help. */
export const subcommandsOf = (command: Command): Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help')
