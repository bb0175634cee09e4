import { writeSync } from 'node:fs'
import { Command } from 'commander'
import { productVersion } from '@harbinger/shared/version'
import type { Clock } from './clock.ts'
import { type Config, loadConfig, settingsHelp } from './config.ts'
import { openLog } from './log.ts'

const clock: Clock = {
  now: Date.now,
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

const print = (text: string) => void process.stdout.write(`${text}\n`)

const logOf = ({ logLevel }: Config) =>
  // Synchronous: the last lines before a crash are the ones that matter.
  openLog({ level: logLevel, now: clock.now, write: (line) => void writeSync(2, line) })

type Flags = { readonly config?: string; readonly json?: boolean; readonly printConfig?: boolean }

const program = new Command('harbinger-agent')
  .description('Reads how this server is doing from /proc and sends it to the hub.')
  .version(productVersion)

const command = (name: string, summary: string, act: (config: Config, flags: Flags) => unknown) =>
  program
    .command(name)
    .description(summary)
    .option('--config <file>', 'YAML file with the settings')
    .addHelpText('after', () => `\n${settingsHelp()}`)
    .action(async (flags: Flags) => {
      await act(await loadConfig({ file: flags.config }), flags)
    })

command('run', 'take samples and send them until stopped', async (config, flags) => {
  if (flags.printConfig) return print(JSON.stringify(config, null, 2))
  const log = logOf(config)
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
}).option('--print-config', 'print the settings in force as JSON and stop')

command('once', 'print one sample as JSON: two readings one second apart', async (config) => {
  const { sampleNow } = await import('./commands/once.ts')
  print(JSON.stringify(await sampleNow(config, clock, logOf(config))))
})

command(
  'doctor',
  'check that the agent can read, reach its hub and keep its state',
  async (config, flags) => {
    const { diagnose } = await import('./commands/doctor.ts')
    const findings = await diagnose(config, clock)
    if (flags.json) print(JSON.stringify(findings, null, 2))
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
  async (config, flags) => {
    const { agentReport, reportText } = await import('./commands/status.ts')
    const report = agentReport(config)
    print(flags.json ? JSON.stringify(report, null, 2) : reportText(report, config.stateDirectory))
    if (!report.running) process.exitCode = 1
  },
).option('--json', 'print the status as JSON')

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`harbinger-agent: ${(error as Error).message}\n`)
  process.exit(1)
}
