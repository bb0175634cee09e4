import { type Command, InvalidArgumentError, Option } from 'commander'
import { joinLine, maxTokenHours, maxTokenUses } from '@harbinger/shared/enrolment'
import type { EnrolmentToken } from '@harbinger/shared/enrolment-api'
import { type Profile, profiles } from '@harbinger/shared/profiles'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { joinAddress } from '../identity/join-address.ts'
import { newToken, tokenState } from '../identity/token-terms.ts'
import { runningHub } from '../models/running-hub.ts'
import { auditStore } from '../storage/audit-store.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { type Token, tokenStore } from '../storage/token-store.ts'
import { databaseFile } from '../storage/stores.ts'
import { byCommand } from './open-accounts.ts'

export type DataOptions = {
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

type CreateOptions = DataOptions & {
  readonly expires: number
  readonly uses: number
  readonly profile?: Profile
  readonly tags?: readonly string[]
  readonly note?: string
  readonly allowRejoin?: boolean
}

/** Options that every command on the hub's data has. */
export const withData = (command: Command): Command =>
  command
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'as JSON')

export const configOf = ({ config, data }: DataOptions) =>
  readConfig({ file: config, flags: { 'data.folder': data } })

/** Writes into the audit log what a command did. */
export type Note = (at: number, action: string, target: string, detail?: string) => void

export const noteOf = (db: Database): Note => {
  const audit = auditStore(db)
  return (at, action, target, detail = '') =>
    audit.add({ at, ...byCommand(), action, target, outcome: 'done', detail })
}

const print = (json: boolean | undefined, answer: unknown, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(answer)}\n` : text)

/** `harbinger token`: works on the hub's database, whether the hub runs or not. */
export function tokenCommand(program: Command, clock: Clock): void {
  const token = program.command('token').description('tokens that let servers join this hub')
  const add = (name: string, description: string): Command =>
    withData(token.command(name).description(description))

  add('create', 'make a token and print the one line that joins a server')
    .option('--expires <span>', 'usable for, as 30m, 24h or 7d', spanHours, 24)
    .option('--uses <count>', 'how many servers may join with it', useCount, 1)
    .addOption(new Option('--profile <profile>', 'profile of the servers').choices(profiles))
    .option('--tags <tags>', 'labels of the servers, with commas between', tagList)
    .option('--note <text>', 'what it is for')
    .option('--allow-rejoin', 'also for servers that are enrolled already')
    .action(async (options: CreateOptions) => {
      const config = configOf(options)
      // A hub that runs knows its port best: it may have been given on the command line.
      const running = await runningHub(config.dataFolder)
      const port = Number(new URL(running?.address ?? 'https://hub').port || config.http.port)
      const where = joinAddress({ ...config, http: { port } })
      const terms = newToken(
        {
          ...{ hours: options.expires, uses: options.uses, note: options.note ?? '' },
          rejoin: options.allowRejoin ?? false,
          ...(options.profile && { profile: options.profile }),
          ...(options.tags && { tags: [...options.tags] }),
        },
        clock.now(),
      )
      const made = withTokens(config.dataFolder, (tokens, note) => {
        const made = tokens.create(terms, clock.now())
        const { id, usesAllowed } = made.made
        note(clock.now(), 'enrolment token created', id, `${usesAllowed} uses`)
        return made
      })
      const line = joinLine({ ...where, token: made.token })
      const answer = { ...toAnswer(made.made, clock.now()), token: made.token, line }
      print(options.json, answer, `${line}\n`)
    })

  add('list', 'the tokens there are and what is left of them; not the tokens themselves').action(
    (options: DataOptions) => {
      const all = withTokens(configOf(options).dataFolder, (tokens) => tokens.list())
      const tokens = all.map((token) => toAnswer(token, clock.now()))
      print(options.json, { tokens }, tokensText(tokens))
    },
  )

  add('revoke', 'end a token; agents that joined with it stay')
    .argument('<id>')
    .action((id: string, options: DataOptions) => {
      const token = withTokens(configOf(options).dataFolder, (tokens, note) => {
        if (tokens.revoke(id, clock.now())) note(clock.now(), 'enrolment token revoked', id)
        return tokens.get(id)
      })
      if (!token) throw new Error(`there is no token ${id}; harbinger token list shows them`)
      print(options.json, toAnswer(token, clock.now()), `token ${id} is revoked\n`)
    })
}

function withTokens<Answer>(
  dataFolder: string,
  work: (tokens: ReturnType<typeof tokenStore>, note: Note) => Answer,
): Answer {
  const db = openDatabase(databaseFile(dataFolder))
  try {
    return work(tokenStore(db), noteOf(db))
  } finally {
    db.close()
  }
}

function spanHours(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const hours = Number(count) * ({ m: 1 / 60, h: 1, d: 24 }[unit] ?? 0)
  if (hours > 0 && hours <= maxTokenHours) return hours
  throw new InvalidArgumentError('expected a span like 30m, 24h or 7d, of a year at most')
}

function useCount(text: string): number {
  if (/^\d{1,6}$/.test(text) && +text >= 1 && +text <= maxTokenUses) return +text
  throw new InvalidArgumentError(`expected a whole number from 1 to ${maxTokenUses}`)
}

function tagList(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim())
  if (tags.length <= 32 && tags.every((tag) => tag !== '' && tag.length <= 64)) return tags
  throw new InvalidArgumentError('expected at most 32 labels of at most 64 characters')
}

const toAnswer = (token: Token, now: number): EnrolmentToken => {
  const { id, note, uses, usesAllowed, rejoin, profile, tags, createdAt, expiresAt } = token
  return {
    ...{ id, note, state: tokenState(token, now), uses, usesAllowed, rejoin, profile },
    tags: [...tags],
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

function tokensText(tokens: readonly EnrolmentToken[]): string {
  if (tokens.length === 0) return 'there is no token; harbinger token create makes one\n'
  const lines = tokens.map(({ id, state, uses, usesAllowed, expiresAt, note }) =>
    `${id}  ${state.padEnd(7)}  ${uses} of ${usesAllowed} used  until ${expiresAt}  ${note}`.trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
