import { Command } from 'commander'
import { productVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import { type Config, loadConfig, settingsHelp } from '../config.ts'
import type { JoinFlags } from '../join/join-command.ts'
import type { Log } from '../log.ts'

type Parts = {
  readonly clock: Clock
  readonly logOf: (config: Config) => Log
  readonly run: (file: string | undefined) => Promise<void>
  /** Ends the process: a look-up that nobody answers would keep it for half a minute. */
  readonly end: (code: number) => void
}

type Flags = { readonly config?: string; readonly json?: boolean; readonly printConfig?: boolean }

type DoctorFlags = Flags & { readonly caSha256?: string }

const print = (text: string) => void process.stdout.write(`${text}\n`)

const printJson = (value: unknown) => print(JSON.stringify(value, null, 2))

/** The command line; what a command does is loaded when it is called. */
export function openProgram({ clock, logOf, run, end }: Parts): Command {
  const program = new Command('harbinger-agent')
    .description('Reads how this server is doing from /proc and sends it to the hub.')
    .version(productVersion)

  const command = (name: string, summary: string, act: (flags: Flags) => Promise<void>) =>
    program
      .command(name)
      .description(summary)
      .option('--config <file>', 'YAML file with the settings')
      .addHelpText('after', () => `\n${settingsHelp()}`)
      .action(act)

  command('run', 'take samples and send them until stopped', async ({ config, printConfig }) =>
    printConfig ? printJson(await loadConfig({ file: config })) : run(config),
  ).option('--print-config', 'print the settings in force as JSON and stop')

  command('once', 'print one sample as JSON: two readings one second apart', async (flags) => {
    const config = await loadConfig({ file: flags.config })
    const { sampleNow } = await import('./once.ts')
    print(JSON.stringify(await sampleNow(config, clock, logOf(config))))
  })

  program
    .command('doctor')
    .description('find what keeps this agent from its work, and say what to do; disturbs nothing')
    .argument('[hub]', 'a hub to be joined, https://host:8443 as in its line: checks the way there')
    .option('--ca-sha256 <fingerprint>', 'of the authority of that hub, as in its line')
    .option('--config <file>', 'YAML file with the settings')
    .option('--json', 'print the findings as JSON')
    .action(async (hub: string | undefined, { config, caSha256, json }: DoctorFlags) => {
      const { diagnose } = await import('../doctor/diagnose.ts')
      const { findingsText, isWell } = await import('@harbinger/shared/findings')
      const findings = await diagnose({ file: config, hub, caSha256 }, clock)
      if (json) printJson(findings)
      else print(findingsText(findings))
      end(isWell(findings) ? 0 : 1)
    })

  command(
    'status',
    'show what the agent costs and what the hub has acknowledged',
    async (flags) => {
      const config = await loadConfig({ file: flags.config })
      const { agentReport, reportText } = await import('./status.ts')
      const report = agentReport(config)
      if (flags.json) printJson(report)
      else print(reportText(report, config.statusDirectory ?? config.stateDirectory))
      if (!report.running) process.exitCode = 1
    },
  ).option('--json', 'print the status as JSON')

  program
    .command('join')
    .description('join a hub: make a key, buy a certificate with a token, write the settings')
    .argument('<hub>', 'https://host:8443, as the line of the hub has it')
    .option('--token <token>', 'from Settings, or from "harbinger token create"')
    .option('--token-file <file>', 'a file that holds the token, - is the standard input')
    .option(
      '--ca-sha256 <fingerprint>',
      'of the authority of the hub; without it, what this system trusts',
    )
    .option('--server <name>', 'name of this server (default: its host name)')
    .option('--config <file>', 'YAML file that the settings are written to')
    .option('--json', 'print what came of it as JSON')
    .action(async (hub: string, flags: JoinFlags) => {
      const { joinCommand } = await import('../join/join-command.ts')
      await joinCommand(hub, flags, { print, now: clock.now })
    })

  return program
}
