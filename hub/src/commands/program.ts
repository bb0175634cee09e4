import { Command, CommanderError } from 'commander'
import { productVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import { hubCommand } from './hub-command.ts'
import { simulateCommand } from './simulate-command.ts'

/** Reads the command line and runs what it asks for; settles with the exit code, 0 only on success. */
export async function runCommand(args: readonly string[], clock: Clock): Promise<number> {
  const program = new Command('harbinger')
    .description('Predictive monitoring of server fleets: which server will be in trouble, and why')
    .version(productVersion)
    .exitOverride()
    .showHelpAfterError()
  for (const add of [hubCommand, simulateCommand]) add(program, clock)
  for (const command of program.commands) command.exitOverride()
  if (args.length === 0) {
    program.outputHelp()
    return 1
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    throw error
  }
}
