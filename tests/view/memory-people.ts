import { type PeopleOptions, openPeople } from '../../hub/src/people/people.ts'
import type { LoginSettings } from '../../hub/src/people/login-settings.ts'
import { setUpSecret } from '../../hub/src/people/set-up-secret.ts'
import { openStores } from '../../hub/src/storage/stores.ts'

export const loginSettings: LoginSettings = {
  ...{ idleHours: 8, hours: 168, openOnLoopback: false, auditDays: 365 },
  ...{ trustedProxies: [], provider: undefined },
}

const quiet = { info() {}, warn() {}, error() {} }

/** The people of a hub in memory, on loopback and without users unless told otherwise; its clock can be moved. */
export function memoryPeople(options: Partial<PeopleOptions> = {}) {
  const stores = openStores(':memory:')
  const time = { now: Date.parse('2026-03-02T10:00:00.000Z') }
  const secret = setUpSecret(':memory:')
  const people = openPeople({
    ...{ stores: stores.people, settings: loginSettings, isLoopback: true, setUp: secret },
    ...{ now: () => time.now, log: quiet, cost: { memory: 64, passes: 1, parallelism: 1 } },
    ...options,
  })
  return { people, stores, time, secret }
}

export const byTest = { who: 'test', address: 'test' }
export const goodPassword = 'four words in a row'
