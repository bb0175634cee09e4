import type { Command } from 'commander'
import type { Role, User } from '@harbinger/shared/people-api'
import type { Clock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { type Accounts, type Refused } from '../people/accounts.ts'
import { isRole } from '../people/caller.ts'
import { setUpSecret } from '../people/set-up-secret.ts'
import { askPassword } from './ask-password.ts'
import { type AccountOptions, print, withAccountOptions, withAccounts } from './open-accounts.ts'

const row = ({ name, role, source, lastLoginAt, sessions }: User): string =>
  `${role.padEnd(8)} ${name}  ${source === 'provider' ? 'signs in at the provider, ' : ''}` +
  `${lastLoginAt === null ? 'has not logged in yet' : `last logged in ${lastLoginAt}`}` +
  `${sessions > 0 ? `, ${sessions} session${sessions > 1 ? 's' : ''}` : ''}`

function named<Answer>(
  accounts: Accounts,
  name: string,
  work: (user: User) => Answer,
): Answer | Refused {
  const user = accounts.find(name)
  if (user) return work(user)
  return { kind: 'absent', refused: `there is no user ${name}; harbinger user list shows them` }
}

function checkedRole(role: string): Role {
  if (!isRole(role)) throw new Error(`--role: expected viewer, operator or admin, got ${role}`)
  return role
}

/** `harbinger user` */
export function userCommand(program: Command, clock: Clock): void {
  const user = program
    .command('user')
    .description('who may log in to the hub; holds at once, whether the hub runs or not')
  const add = (name: string, description: string): Command =>
    withAccountOptions(user.command(name).description(description))

  add('add', 'add a user; the password is asked for, or read from standard input')
    .argument('<name>')
    .option('--role <role>', 'viewer, operator or admin; the first user is an admin', 'viewer')
    .action(async (name: string, options: AccountOptions & { role: string }) => {
      const role = checkedRole(options.role)
      const made = await withAccounts(options, clock, async (accounts, { by }) => {
        // Before the question, so that nobody types a password for nothing.
        if (accounts.users().length === 0 && role !== 'admin') {
          return {
            ...{ kind: 'conflict' as const },
            refused: 'the first user of a hub is an admin: add --role admin',
          }
        }
        if (accounts.find(name)) {
          return { kind: 'conflict' as const, refused: `there is a user ${name} already` }
        }
        return accounts.addUser({ name, role, password: await askPassword() }, by)
      })
      print(options.json, made, `${made.name} may log in as ${made.role}\n`)
    })

  add('list', 'all users with their roles').action(async (options: AccountOptions) => {
    const { users } = await withAccounts(options, clock, (accounts) => ({
      users: accounts.users(),
    }))
    const none = 'no users: harbinger user add NAME --role admin makes the first\n'
    print(options.json, { users }, users.map((one) => `${row(one)}\n`).join('') || none)
  })

  add('remove', 'remove a user, their sessions and their API tokens')
    .argument('<name>')
    .action(async (name: string, options: AccountOptions) => {
      const gone = await withAccounts(options, clock, (accounts, { by }) =>
        named(accounts, name, ({ id }) => accounts.removeUser(id, by)),
      )
      print(options.json, gone, `${gone.name} is removed and logged out\n`)
    })

  add('role', 'give a user another role')
    .argument('<name>')
    .argument('<role>', 'viewer, operator or admin')
    .action(async (name: string, role: string, options: AccountOptions) => {
      const changed = await withAccounts(options, clock, (accounts, { by }) =>
        named(accounts, name, ({ id }) => accounts.setRole(id, checkedRole(role), by)),
      )
      print(options.json, changed, `${changed.name} is ${changed.role} from now on\n`)
    })

  add('passwd', 'set a password, asked for or read from standard input; logs the user out')
    .argument('<name>')
    .action(async (name: string, options: AccountOptions) => {
      const changed = await withAccounts(options, clock, (accounts, { by }) =>
        named(accounts, name, async ({ id }) =>
          accounts.setPassword(id, await askPassword(), { by }),
        ),
      )
      print(options.json, changed, `${changed.name} has a new password and is logged out\n`)
    })

  add('set-up-secret', 'what the page /set-up asks for while the hub has no users').action(
    async (options: AccountOptions) => {
      const { users } = await withAccounts(options, clock, (accounts) => ({
        users: accounts.users(),
      }))
      if (users.length > 0) {
        throw new Error(
          'this hub has users, so there is nothing to set up; harbinger user passwd NAME helps who forgot a password',
        )
      }
      const { config: file, data } = options
      const { dataFolder } = readConfig({ file, flags: { 'data.folder': data } })
      const secret = setUpSecret(dataFolder).get()
      print(options.json, { setUpSecret: secret }, `${secret}\n`)
    },
  )
}
