import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { Clock } from '../clock.ts'
import { type Config, readConfig } from '../config.ts'
import { type Accounts, accounts, type Refused } from '../people/accounts.ts'
import type { By } from '../people/caller.ts'
import { openStores } from '../storage/stores.ts'

export type AccountOptions = {
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

/** Options of every command about users and API tokens. */
export const withAccountOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--json', 'as JSON')

/** The audit log names the account of this machine that ran the command. */
export const byCommand = (): By => ({
  who: `command line (${userInfo().username})`,
  address: 'this machine',
})

/**
 * Does something with the users of a data folder, beside a hub that may run on it: the database is shared, and the hub
 * looks again with every request. Throws the words of a refusal.
 */
export async function withAccounts<Answer extends object>(
  { config: file, data }: AccountOptions,
  clock: Clock,
  work: (
    accounts: Accounts,
    more: { readonly by: By; readonly config: Config },
  ) => Answer | Refused | Promise<Answer | Refused>,
): Promise<Answer> {
  const config = readConfig({ file, flags: { 'data.folder': data } })
  const stores = openStores(config.dataFolder, config.profileRules)
  try {
    const found = await work(accounts(stores.people, { now: clock.now }), {
      by: byCommand(),
      config,
    })
    if ('refused' in found) throw new Error(found.refused)
    return found
  } finally {
    stores.close()
  }
}

/** As JSON when asked for, else as people read it. */
export const print = (json: boolean | undefined, answer: unknown, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(answer)}\n` : text)
