import { existsSync, readFileSync } from 'node:fs'
import { defaultConfigFiles, loadConfig, settings } from '../config.ts'
import { joinHub } from './join.ts'
import { forgetLastJoin, keepLastJoin } from './last-join.ts'
import { startService } from './start-service.ts'

export type JoinFlags = {
  readonly token?: string
  readonly tokenFile?: string
  readonly caSha256?: string
  readonly server?: string
  readonly config?: string
  readonly json?: boolean
}

/** `harbinger-agent join` */
export async function joinCommand(
  hub: string,
  flags: JoinFlags,
  { print, now }: { readonly print: (text: string) => void; readonly now: () => number },
): Promise<void> {
  const token = readToken(flags)
  const configFile = flags.config ?? usualFile()
  const config = await loadConfig({ ...(existsSync(configFile) && { file: configFile }) })
  const server = flags.server ?? config.server
  const named = settings.server.read(server)
  if (typeof named !== 'string')
    throw new Error(`--server: expected ${named.expected}, got ${server}`)
  const joined = await joinHub({
    ...{ hub, token, caSha256: flags.caSha256, configFile },
    config: { server: named, stateDirectory: config.stateDirectory },
  }).catch((error: Error) => {
    const shown = URL.canParse(hub) ? new URL(hub).host : 'an address that is none'
    keepLastJoin(config.stateDirectory, { at: now(), hub: shown, said: error.message })
    throw error
  })
  forgetLastJoin(config.stateDirectory)
  const { started, problem } = startService(configFile)
  if (flags.json) print(JSON.stringify({ ...joined, started }))
  else {
    print(
      `${joined.server} has joined ${hub}; its certificate lasts until ${joined.until} and renews itself.`,
    )
    print(`Samples go to ${joined.mqtt}; the settings are in ${joined.configFile}.`)
    print(
      started
        ? 'The agent runs, and after a restart of the server too: harbinger-agent status.'
        : 'Start the agent: systemctl restart harbinger-agent, or harbinger-agent run.',
    )
  }
  if (problem !== undefined) {
    throw new Error(
      `the server has joined, but its agent did not start; see journalctl -u harbinger-agent. ${problem}`,
    )
  }
}

function readToken({ token, tokenFile }: JoinFlags): string {
  if ((token === undefined) === (tokenFile === undefined)) {
    throw new Error('expected --token or --token-file: the line that the hub prints has it')
  }
  // 0 is the standard input: a token there stands in no list of processes and in no history of a shell.
  const text = token ?? readFileSync(tokenFile === '-' ? 0 : tokenFile!, 'utf8')
  return text.trim()
}

/** The file that is there; else the installed one for root, and one of this folder for others. */
const usualFile = (): string =>
  defaultConfigFiles.find((file) => existsSync(file)) ??
  defaultConfigFiles[process.getuid?.() === 0 ? 1 : 0]
