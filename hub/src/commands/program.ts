import { Command, CommanderError } from 'commander'
import { productVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import { accuracyCommand } from './accuracy-command.ts'
import { agentCommand } from './agent-command.ts'
import { apiTokenCommand } from './api-token-command.ts'
import { backtestCommand } from './backtest-command.ts'
import { doctorCommand } from './doctor/doctor-command.ts'
import { hubCommand } from './hub-command.ts'
import { importCommand } from './import-command.ts'
import { intervalCommand } from './interval-command.ts'
import { modelCommand } from './model-command.ts'
import { serverCommand } from './server-command.ts'
import { simulateCommand } from './simulate-command.ts'
import { tokenCommand } from './token-command.ts'
import { trainCommand } from './train-command.ts'
import { userCommand } from './user-command.ts'

/** The command line: every command with its options. The manual and the shell completion are made from it. */
export function openProgram(clock: Clock): Command {
  const program = new Command('harbinger')
    .description('Predictive monitoring of server fleets: which server will be in trouble, and why')
    .version(productVersion)
    .exitOverride()
    .showHelpAfterError()
  const commands = [
    ...[hubCommand, simulateCommand, importCommand, trainCommand, backtestCommand],
    ...[modelCommand, accuracyCommand, tokenCommand, agentCommand, doctorCommand],
    ...[userCommand, apiTokenCommand, serverCommand, intervalCommand],
  ]
  for (const add of commands) add(program, clock)
  for (const command of program.commands) {
    command.exitOverride()
    for (const inner of command.commands) inner.exitOverride()
  }
  return program
}

/** Reads the command line and runs what it asks for; settles with the exit code, 0 only on success. */
export async function runCommand(args: readonly string[], clock: Clock): Promise<number> {
  const program = openProgram(clock)
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
