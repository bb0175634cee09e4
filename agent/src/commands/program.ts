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
}

type Flags = { readonly config?: string; readonly json?: boolean; readonly printConfig?: boolean }

const print = (text: string) => void process.stdout.write(`${text}\n`)

const printJson = (value: unknown) => print(JSON.stringify(value, null, 2))

/** The command line; what a command does is loaded when it is called. */
export function openProgram({ clock, logOf, run }: Parts): Command {
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

  command(
    'doctor',
    'check that the agent can read, reach its hub and keep its state',
    async (flags) => {
      const { diagnose } = await import('./doctor.ts')
      const findings = await diagnose(await loadConfig({ file: flags.config }), clock)
      if (flags.json) printJson(findings)
      else {
        for (const { check, ok, found, advice } of findings) {
          print(`${ok ? 'ok  ' : 'FAIL'}  ${check}: ${found}${advice && `\n      ${advice}`}`)
        }
      }
      if (findings.some(({ ok }) => !ok)) process.exitCode = 1
    },
  ).option('--json', 'print the findings as JSON')

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
      await joinCommand(hub, flags, print)
    })

  return program
}
