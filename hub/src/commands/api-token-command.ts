import type { Command } from 'commander'
import { type ApiToken, tokenDays } from '@harbinger/shared/people-api'
import type { Clock } from '../clock.ts'
import { isScope } from '../people/caller.ts'
import { type AccountOptions, print, withAccountOptions, withAccounts } from './open-accounts.ts'

const row = ({ id, name, scope, createdBy, expiresAt, lastUsedAt }: ApiToken): string =>
  `${String(id).padStart(4)}  ${scope.padEnd(7)} ${name}  by ${createdBy}, until ${expiresAt}, ` +
  `${lastUsedAt === null ? 'never used' : `last used ${lastUsedAt}`}`

function whole(text: string, { what, max }: { what: string; max: number }): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > max) {
    throw new Error(`${what}: expected a whole number from 1 to ${max}, got ${text}`)
  }
  return number
}

/** `harbinger api-token` */
export function apiTokenCommand(program: Command, clock: Clock): void {
  const token = program
    .command('api-token')
    .description('what programs ask the hub with; tokens for agents are another thing')
  const add = (name: string, description: string): Command =>
    withAccountOptions(token.command(name).description(description))

  add('create', 'make an API token; it is shown this once')
    .argument('<name>', 'what will use it, prometheus say')
    .option('--scope <scope>', 'read, operate or admin', 'read')
    .option('--days <days>', 'how long it works', String(tokenDays.default))
    .action(async (name: string, options: AccountOptions & { scope: string; days: string }) => {
      const { scope } = options
      if (!isScope(scope)) {
        throw new Error(`--scope: expected read, operate or admin, got ${scope}`)
      }
      // As the REST API takes them.
      if (!/^[^\p{Cc}]{1,64}$/u.test(name)) throw new Error('a name has 1 to 64 characters')
      const days = whole(options.days, { what: '--days', max: tokenDays.max })
      const made = await withAccounts(options, clock, (accounts, { by }) =>
        accounts.createToken({ name, scope, days }, { by, userId: null }),
      )
      print(options.json, made, `${made.token}\n`)
      if (!options.json) {
        process.stderr.write(
          `API token ${made.id} (${made.name}, ${made.scope}) works until ${made.expiresAt}. It is not kept and not shown again.\n`,
        )
      }
    })

  add('list', 'all API tokens, without the tokens themselves').action(
    async (options: AccountOptions) => {
      const { apiTokens } = await withAccounts(options, clock, (accounts) => ({
        apiTokens: accounts.apiTokens(),
      }))
      print(
        options.json,
        { apiTokens },
        apiTokens.map((one) => `${row(one)}\n`).join('') || 'no API tokens\n',
      )
    },
  )

  add('revoke', 'end an API token; it is worth nothing from then on')
    .argument('<id>')
    .action(async (id: string, options: AccountOptions) => {
      const number = whole(id, { what: 'id', max: 2 ** 31 })
      const gone = await withAccounts(options, clock, (accounts, { by }) =>
        accounts.revokeToken(number, by),
      )
      print(options.json, gone, `API token ${gone.id} (${gone.name}) is revoked\n`)
    })
}
