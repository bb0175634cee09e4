import type { Command } from 'commander'
import { serverKey } from '@harbinger/shared/server'
import type { Clock } from '../clock.ts'
import { type AgentStore, agentStore, type EnrolledAgent } from '../storage/agent-store.ts'
import { openDatabase } from '../storage/database.ts'
import { databaseFile } from '../storage/stores.ts'
import { configOf, type DataOptions, type Note, noteOf, withData } from './token-command.ts'

/** `harbinger agent`: works on the hub's database; a hub that runs sees it within a second. */
export function agentCommand(program: Command, clock: Clock): void {
  const agent = program.command('agent').description('agents that have a certificate of this hub')
  const add = (name: string, description: string): Command =>
    withData(agent.command(name).description(description))
  const print = ({ json }: DataOptions, answer: unknown, text: string): void =>
    void process.stdout.write(json ? `${JSON.stringify(answer)}\n` : text)

  add('list', 'who is enrolled, and until when').action((options: DataOptions) => {
    const agents = withAgents(options, (store) => [...store.list()]).map(toAnswer)
    const lines = agents.map(({ server, certificateUntil, revokedAt }) =>
      revokedAt === null
        ? `${server}  certificate until ${certificateUntil}`
        : `${server}  revoked at ${revokedAt}`,
    )
    print(options, { agents }, `${lines.join('\n') || 'no agent is enrolled'}\n`)
  })

  add('revoke', 'take an agent its right to speak; a live connection ends within seconds')
    .argument('<server>')
    .action((server: string, options: DataOptions) => {
      const known = change(options, server, (store, note) => {
        if (store.revoke(server, clock.now())) note(clock.now(), 'agent revoked', server)
      })
      print(options, toAnswer(known), `the agent of ${known.server} is revoked\n`)
    })

  add('allow-rejoin', 'let a server that is enrolled or revoked join once more')
    .argument('<server>')
    .action((server: string, options: DataOptions) => {
      const known = change(options, server, (store, note) => {
        if (store.allowRejoin(server)) note(clock.now(), 'agent may join once more', server)
      })
      print(options, toAnswer(known), `${known.server} may join once more, with a usable token\n`)
    })

  function change(
    options: DataOptions,
    server: string,
    work: (store: AgentStore, note: Note) => void,
  ): EnrolledAgent {
    return withAgents(options, (store, note) => {
      work(store, note)
      const known = store.find(server)
      if (known) return known
      throw new Error(
        `no agent is enrolled as ${serverKey(server)}; harbinger agent list shows them`,
      )
    })
  }
}

function withAgents<Answer>(
  options: DataOptions,
  work: (store: AgentStore, note: Note) => Answer,
): Answer {
  const db = openDatabase(databaseFile(configOf(options).dataFolder))
  try {
    return work(agentStore(db), noteOf(db))
  } finally {
    db.close()
  }
}

const instant = (at: number | null): string | null =>
  at === null ? null : new Date(at).toISOString()

const toAnswer = ({ server, rejoin, token, ...times }: EnrolledAgent) => ({
  ...{ server, rejoin, token },
  enrolledAt: instant(times.enrolledAt),
  renewedAt: instant(times.renewedAt),
  certificateUntil: instant(times.certificateUntil),
  revokedAt: instant(times.revokedAt),
})
