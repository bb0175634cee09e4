import type { Command } from 'commander'
import type { RetiredServers, ServersPage, ServerSummary } from '@harbinger/shared/api'
import type { Clock } from '../clock.ts'
import { askHub, type RunningHub, runningHub } from '../models/running-hub.ts'
import { databaseFile } from '../storage/stores.ts'
import { openDatabase } from '../storage/database.ts'
import { serverStore, type ServerStore } from '../storage/server-store.ts'
import { configOf, type DataOptions, type Note, noteOf, withData } from './token-command.ts'

type RetireOptions = DataOptions & { readonly reason?: string }

const print = ({ json }: DataOptions, answer: unknown, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(answer)}\n` : text)

/** `harbinger server`: asks the hub that runs, and works on its database while none does. */
export function serverCommand(program: Command, clock: Clock): void {
  const server = program.command('server').description('servers of the fleet, and retired ones')
  const add = (name: string, description: string): Command =>
    withData(server.command(name).description(description))

  add('list', 'who is in the fleet, and who is retired').action(async (options: DataOptions) => {
    const hub = await runningHub(configOf(options).dataFolder)
    if (hub) {
      const servers = await allServers(hub)
      const { servers: retired } = await askHub<RetiredServers>(hub, '/retired')
      const lines = [
        ...servers.map(({ name, presence, lastSeen }) =>
          line(name, presence.state, `last heard ${lastSeen ?? 'never'}`),
        ),
        ...retired.map(({ name, retired: { at, by, reason } }) =>
          line(name, 'retired', `at ${at} by ${by}${reason && `: ${reason}`}`),
        ),
      ]
      return print(options, { servers, retired }, text(lines))
    }
    const known = withServers(options, (store) => [...store.everyone()])
    const answer = known.map(({ name, latest, retired }) => ({
      name,
      lastSeen: latest ? new Date(latest.at).toISOString() : null,
      retired: retired ? { ...retired, at: new Date(retired.at).toISOString() } : null,
    }))
    const lines = answer.map(({ name, lastSeen, retired }) =>
      line(name, retired ? 'retired' : 'unknown', `last heard ${lastSeen ?? 'never'}`),
    )
    print(options, { servers: answer }, text(lines))
  })

  add('retire', 'take a server that is offline out of the fleet; its history stays')
    .argument('<server>')
    .option('--reason <text>', 'why, for the audit log')
    .action(async (name: string, options: RetireOptions) => {
      const { reason = '' } = options
      const hub = await runningHub(configOf(options).dataFolder)
      if (hub) await askHub(hub, `/servers/${encodeURIComponent(name)}/retire`, { reason })
      else {
        change(options, name, (store, found, note) => {
          if (found.retired) return
          store.retire(found, { at: clock.now(), by: 'the command line', reason })
          note(clock.now(), 'server retired', found.name, reason)
        })
      }
      print(options, { server: name, retired: true }, `${name} is retired\n`)
    })

  add('bring-back', 'take a retired server back into the fleet')
    .argument('<server>')
    .action(async (name: string, options: DataOptions) => {
      const hub = await runningHub(configOf(options).dataFolder)
      if (hub) await askHub(hub, `/servers/${encodeURIComponent(name)}/bring-back`, {})
      else {
        change(options, name, (store, found, note) => {
          if (!found.retired) throw new Error(`${found.name} is not retired`)
          store.bringBack(found, clock.now())
          note(clock.now(), 'server brought back', found.name)
        })
      }
      print(options, { server: name, retired: false }, `${name} is back in the fleet\n`)
    })

  function change(
    options: DataOptions,
    name: string,
    work: (
      store: ServerStore,
      found: NonNullable<ReturnType<ServerStore['find']>>,
      note: Note,
    ) => void,
  ): void {
    withServers(options, (store, note) => {
      const found = store.find(name)
      if (!found) throw new Error(`no server is named ${name}; harbinger server list shows them`)
      work(store, found, note)
    })
  }
}

const line = (name: string, state: string, more: string): string =>
  `${name}  ${state.padEnd(7)}  ${more}`
const text = (lines: readonly string[]): string =>
  `${lines.join('\n') || 'no server has reported yet'}\n`

/** Page by page. */
async function allServers(hub: RunningHub): Promise<ServerSummary[]> {
  const servers: ServerSummary[] = []
  let cursor = ''
  for (;;) {
    const page = await askHub<ServersPage>(hub, `/servers?limit=1000${cursor}`)
    servers.push(...page.servers)
    if (page.nextCursor === null) return servers
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}

function withServers<Answer>(
  options: DataOptions,
  work: (store: ServerStore, note: Note) => Answer,
): Answer {
  const { dataFolder, profileRules } = configOf(options)
  const db = openDatabase(databaseFile(dataFolder))
  try {
    return work(serverStore(db, profileRules), noteOf(db))
  } finally {
    db.close()
  }
}
