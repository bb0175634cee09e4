import type { Log } from '../log.ts'
import type { StoredUser, UserStore } from '../storage/user-store.ts'
import type { Departure, Provider, SignedIn } from './provider.ts'
import { hashOf, newSecret } from './secrets.ts'

type Options = {
  readonly provider: Provider
  readonly users: UserStore
  /** Wherever a user is logged in. */
  readonly endSessions: (userId: number) => void
  readonly now: () => number
  readonly log: Log
  readonly begin: (
    user: StoredUser,
    address: string,
  ) => { readonly session: string; readonly name: string }
  readonly note: (who: string, address: string, detail: string) => void
}

type Away = Departure & { readonly next: string; readonly at: number }

/** Why somebody who came back from the provider was not let in; the login page has the words. */
export type SignInProblem = 'unreachable' | 'expired' | 'refused' | 'no-role' | 'name-taken'

const awayMs = 600_000
const mostAway = 1000

/** People on their way to the provider and back; what must come back with them stays here, not in the browser. */
export function signIn({ provider, users, endSessions, now, log, begin, note }: Options) {
  const away = new Map<string, Away>()

  /** Users are known by issuer and subject: a name can be given to somebody else. */
  function admit({ issuer, subject, name, role }: SignedIn): StoredUser | SignInProblem {
    const known = users.ofProvider(issuer, subject)
    if (role === undefined) {
      if (known) endSessions(known.id)
      return 'no-role'
    }
    if (known) {
      if (known.role !== role) users.setRole(known.id, role)
      return users.get(known.id)!
    }
    // Never the user of that name: whoever may choose a name at the provider would be them.
    const short = name.slice(0, 64)
    return (
      users.add({ name: short, role, issuer, subject, at: now(), by: provider.label }) ??
      'name-taken'
    )
  }

  return {
    label: provider.label,

    /** Where to send somebody, and what their browser must bring back. */
    async depart(
      next: string,
    ): Promise<{ readonly url: string; readonly ticket: string } | SignInProblem> {
      try {
        const departure = await provider.depart()
        const ticket = newSecret()
        for (const [key, { at }] of away) {
          if (now() - at < awayMs && away.size < mostAway) break
          away.delete(key)
        }
        away.set(hashOf(ticket).toString('hex'), { ...departure, next, at: now() })
        return { url: departure.url, ticket }
      } catch (error) {
        log.error({ err: error }, 'the sign-in provider cannot be asked')
        return 'unreachable'
      }
    },

    /** Once for each departure. */
    async arrive(
      { ticket, search }: { readonly ticket: string | undefined; readonly search: string },
      address: string,
    ): Promise<{ readonly session: string; readonly next: string } | SignInProblem> {
      const key = hashOf(ticket ?? '').toString('hex')
      const departure = away.get(key)
      away.delete(key)
      if (!departure || now() - departure.at > awayMs) {
        note('', address, 'came back from the provider without having left, or too late')
        return 'expired'
      }
      let person: SignedIn
      try {
        person = await provider.arrive(search, departure)
      } catch (error) {
        log.warn({ err: error, address }, 'the answer of the sign-in provider was not accepted')
        note('', address, `the provider's answer was not accepted: ${(error as Error).message}`)
        return 'refused'
      }
      const user = admit(person)
      if (typeof user === 'string') {
        note(person.name, address, user === 'no-role' ? 'no claim makes a role' : 'name is taken')
        return user
      }
      return { session: begin(user, address).session, next: departure.next }
    },
  }
}
