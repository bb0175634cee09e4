import type { SessionAnswer } from '@harbinger/shared/people-api'
import type { Log } from '../log.ts'
import { accounts, isApiToken, type PeopleStores, type Refused } from './accounts.ts'
import { attempts } from './attempts.ts'
import { type By, type Caller, lowerRole, roleOfScope } from './caller.ts'
import type { LoginSettings } from './login-settings.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type Cost, hashPassword, isPassword, nobodysHash, passwordCost } from './password.ts'
import { signInProvider } from './provider.ts'
import { hashOf, isSame, newSecret } from './secrets.ts'
import type { SetUpSecret } from './set-up-secret.ts'
import { signIn } from './sign-in.ts'

export type PeopleOptions = {
  readonly stores: PeopleStores
  readonly settings: LoginSettings
  /** Whether only this very machine reaches the hub. */
  readonly isLoopback: boolean
  readonly setUp: SetUpSecret
  /** What commands on this machine ask with; empty: none does. */
  readonly commandSecret?: string
  /** What a password costs to check; a test that checks many makes it cheap. */
  readonly cost?: Cost
  readonly now: () => number
  readonly log: Log
}

export type Credentials = {
  /** The header Authorization. */
  readonly authorization?: string | undefined
  /** What the cookie holds. */
  readonly session?: string | undefined
  /** The request passed a proxy, so its sender is elsewhere. */
  readonly proxied?: boolean
}

export type LoggedIn = { readonly session: string; readonly name: string }
export type NotLoggedIn = {
  readonly refused: string
  readonly kind: 'wrong' | 'wait' | 'busy' | 'invalid' | 'conflict'
  readonly waitSeconds?: number
}

export type People = ReturnType<typeof openPeople>

const hourMs = 3_600_000
const minuteMs = 60_000
/** Passwords that may wait to be checked, each some 0.2 s. */
const waiting = 16
const auditRows = { rows: 200_000, refusedRows: 50_000 }
/** The last use of a token or session is noted once in so long. */
const notedMs = minuteMs

const wrong: NotLoggedIn = { refused: 'the name or the password is wrong', kind: 'wrong' }

/** Who may ask this hub for what: users, sessions, API tokens, and the log of what they did. */
export function openPeople(options: PeopleOptions) {
  const { stores, settings, isLoopback, setUp, commandSecret = '', now, log } = options
  const { cost = passwordCost } = options
  const { users, sessions, apiTokens, audit } = stores
  const { provider: providerSettings } = settings
  const inTurn = oneAtATime(waiting)
  const hash = (password: string) => inTurn(() => hashPassword(password, cost))
  const accountsOf = accounts(stores, { now, hash })
  const tries = attempts(now)
  const nobody = nobodysHash(cost)
  const provider = providerSettings && signInProvider(providerSettings, now)
  const idleMs = settings.idleHours * hourMs
  const absoluteMs = settings.hours * hourMs

  const note = (by: By, action: string, outcome: 'done' | 'refused', detail = ''): void =>
    audit.add({ at: now(), ...by, action, target: '', outcome, detail })

  /** Whether anybody has to log in, and can. */
  function mode(): SessionAnswer['mode'] {
    if (isLoopback && settings.openOnLoopback) return 'open'
    if (provider || users.exist()) return 'login'
    return isLoopback ? 'open' : 'setup'
  }

  function notice(): string | null {
    if (mode() !== 'open') return null
    return settings.openOnLoopback && users.exist()
      ? 'Nobody has to log in here: login.openOnLoopback is on. Whoever can use this machine may change everything.'
      : 'Nobody has to log in here: this hub listens on this machine alone and has no users. Whoever can use this machine may change everything.'
  }

  /** Counts a try; or says how long to wait, which the audit log tells once for each wait. */
  function tryOnce(account: string, by: By, action: string): NotLoggedIn | undefined {
    const wait = tries.begin(account, by.address)
    if (!wait) return undefined
    const refused = `too many tries: wait ${wait.seconds} s before the next one`
    if (wait.isNews) note(by, action, 'refused', refused)
    return { refused, kind: 'wait', waitSeconds: wait.seconds }
  }

  /** What is good to know and not worth failing for: a full disk must not keep anybody from looking at the hub. */
  function inPassing(work: () => unknown): void {
    try {
      work()
    } catch (error) {
      log.warn({ err: error }, 'when somebody was last here could not be written down')
    }
  }

  function begin(user: { readonly id: number; readonly name: string }, by: By, how: string) {
    const session = newSecret()
    sessions.begin(hashOf(session), user.id, now())
    users.loggedIn(user.id, now())
    note({ ...by, who: user.name }, 'logged in', 'done', how)
    return { session, name: user.name }
  }

  function bySession(secret: string): Caller | undefined {
    const key = hashOf(secret)
    const found = sessions.get(key)
    if (!found) return undefined
    const at = now()
    if (at - found.seenAt > idleMs || at - found.createdAt > absoluteMs) {
      inPassing(() => sessions.end(key))
      return undefined
    }
    const user = users.get(found.userId)
    if (!user) return undefined
    if (at - found.seenAt > notedMs) inPassing(() => sessions.seen(key, at))
    return {
      ...{ kind: 'user', name: user.name, role: user.role, userId: user.id, session: key },
      hasPassword: user.password !== null,
    }
  }

  function byToken(key: Buffer): Caller | undefined {
    const token = apiTokens.find(key)
    if (!token || token.expiresAt <= now()) return undefined
    const owner = token.userId === null ? undefined : users.get(token.userId)
    if (token.userId !== null && !owner) return undefined
    const role = roleOfScope(token.scope)
    if (now() - (token.lastUsedAt ?? 0) > notedMs) {
      inPassing(() => apiTokens.used(token.id, now()))
    }
    return {
      ...{ kind: 'token', name: `API token ${token.id} (${token.name})`, token: key },
      role: owner ? lowerRole(role, owner.role) : role,
    }
  }

  function byAuthorization(header: string): Caller | undefined {
    const [, secret] = /^Bearer +([\w.~+/-]+=*) *$/i.exec(header) ?? []
    if (secret === undefined) return undefined
    if (isApiToken(secret)) return byToken(hashOf(secret))
    if (commandSecret !== '' && isSame(secret, commandSecret)) {
      return { kind: 'command', name: 'command line', role: 'admin' }
    }
    return undefined
  }

  return {
    now,
    mode,
    notice,
    /** The same verbs for admins in the browser and on the command line. */
    accounts: accountsOf,

    /**
     * Who asks. `unknown` when what they show is not, or no longer, known: that is no reason to take them for
     * somebody who shows nothing. Undefined: they show nothing, and here that is not enough.
     */
    callerOf({
      authorization,
      session,
      proxied = false,
    }: Credentials): Caller | 'unknown' | undefined {
      if (authorization !== undefined) return byAuthorization(authorization) ?? 'unknown'
      const user = session === undefined ? undefined : bySession(session)
      if (user) return user
      if (mode() === 'open' && !proxied) {
        return { kind: 'open', name: 'nobody logged in', role: 'admin' }
      }
      return session === undefined ? undefined : 'unknown'
    },

    /** Whether somebody let in before would be let in now, and may as much; for what stays open for long. */
    stillHolds(caller: Caller): boolean {
      if (caller.kind === 'open') return mode() === 'open'
      if (caller.kind === 'token') return byToken(caller.token) !== undefined
      if (caller.kind === 'command') return true
      const found = sessions.get(caller.session)
      const at = now()
      return (
        found !== undefined && at - found.seenAt <= idleMs && at - found.createdAt <= absoluteMs
      )
    },

    /** Takes as long for a name that nobody has, and says the same. */
    async login(name: string, password: string, address: string): Promise<LoggedIn | NotLoggedIn> {
      const by = { who: name, address }
      const wait = tryOnce(name, by, 'log in')
      if (wait) return wait
      const user = users.find(name)
      const isRight = await inTurn(() => isPassword(password, user?.password ?? nobody))
      if (!user || user.password === null || !isRight) {
        note(by, 'log in', 'refused', 'the name or the password is wrong')
        return wrong
      }
      tries.right(name, address)
      return begin(user, by, 'password')
    },

    logout(caller: Caller, by: By): void {
      if (caller.kind !== 'user' || !sessions.end(caller.session)) return
      note(by, 'logged out', 'done')
    },

    /** The first admin. Of two at once, one. */
    async setUp(
      asked: { readonly secret: string; readonly name: string; readonly password: string },
      address: string,
    ): Promise<LoggedIn | NotLoggedIn> {
      const { secret, name, password } = asked
      const by = { who: 'set-up', address }
      if (users.exist()) {
        return { refused: 'this hub has its first admin already: log in', kind: 'conflict' }
      }
      const wait = tryOnce('(set-up)', by, 'set up')
      if (wait) return wait
      if (!setUp.is(secret)) {
        note(by, 'set up', 'refused', 'the set-up secret is wrong')
        return {
          refused:
            'the set-up secret is wrong; the hub prints it when it starts, and so does "harbinger user set-up-secret"',
          kind: 'wrong',
        }
      }
      tries.right('(set-up)', address)
      const bad = accountsOf.whyNot(name, password)
      if (bad) return { refused: bad.refused, kind: 'invalid' }
      const hashed = await hash(password)
      const made = users.addFirst({
        ...{ name, role: 'admin', password: hashed, at: now(), by: 'set-up' },
      })
      if (!made) {
        note(by, 'set up', 'refused', 'somebody else was first')
        return { refused: 'somebody else has just set this hub up', kind: 'conflict' }
      }
      setUp.forget()
      note({ who: made.name, address }, 'set up', 'done', 'first admin')
      log.info({ admin: made.name, address }, 'the hub is set up: people log in from now on')
      return begin(made, { who: made.name, address }, 'set-up')
    },

    /** A person's own password; the other sessions of that person end. */
    async changeOwnPassword(
      caller: Caller,
      asked: { readonly current: string; readonly next: string },
      address: string,
    ): Promise<Refused | NotLoggedIn | undefined> {
      if (caller.kind !== 'user' || !caller.hasPassword) {
        return { refused: 'you have no password in this hub', kind: 'conflict' }
      }
      const by = { who: caller.name, address }
      const wait = tryOnce(caller.name, by, 'change password')
      if (wait) return wait
      const stored = users.get(caller.userId)?.password ?? nobody
      if (!(await inTurn(() => isPassword(asked.current, stored)))) {
        note(by, 'change password', 'refused', 'wrong password')
        // Not `wrong`: the session holds, and a browser that hears 401 asks for a login.
        return { refused: 'the password you have now is another one', kind: 'invalid' }
      }
      tries.right(caller.name, address)
      const set = await accountsOf.setPassword(caller.userId, asked.next, {
        by,
        keep: caller.session,
      })
      return 'refused' in set ? set : undefined
    },

    provider:
      provider &&
      signIn({
        ...{ provider, users, now, log, endSessions: (id) => sessions.endAll(id) },
        begin: (user, address) => begin(user, { who: user.name, address }, provider.label),
        note: (who, address, detail) => note({ who, address }, 'log in', 'refused', detail),
      }),

    audit: {
      add: audit.add,
      page: audit.page,
    },
    /** Lets go of sessions that are over, tokens that expired a month ago and what the audit log keeps no longer. */
    forget(): void {
      try {
        sessions.forgetBefore(now() - idleMs, now() - absoluteMs)
        apiTokens.forgetExpiredBefore(now() - 30 * 24 * hourMs)
        audit.forget(now(), { days: settings.auditDays, ...auditRows })
      } catch (error) {
        log.error(
          { err: error },
          'forgetting old sessions and audit rows failed and is tried again',
        )
      }
    },
    /** What the log must say at the start. */
    announce(address: string): void {
      const said = mode()
      if (said === 'open') log.warn({ address }, notice()!)
      if (said !== 'setup') return
      log.warn(
        { page: `${address}/set-up`, setUpSecret: setUp.get() },
        'this hub has no users and serves nothing but the page that makes the first admin; it asks for the set-up secret, which works once',
      )
    },
  }
}
