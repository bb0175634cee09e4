import type { Role, Scope } from '@harbinger/shared/people-api'

export const passwordHint =
  'At least 12 characters; a few words that do not belong together are easy to keep in mind.'

/** What each role may, in words; a role may also what those before it may. */
export const roleWords: Readonly<Record<Role, string>> = {
  viewer: 'looks at everything but people',
  operator: 'also trains, promotes and changes what the hub does',
  admin: 'also says who may do what, and reads the audit log',
}

export const scopeWords: Readonly<Record<Scope, string>> = {
  read: 'reads, metrics too',
  operate: 'as an operator',
  admin: 'as an admin',
}

const problems: Readonly<Record<string, string>> = {
  unreachable: 'The sign-in provider cannot be reached. The hub’s log says why.',
  expired: 'Signing in took too long, or began in another browser. Try again.',
  refused: 'The answer of the sign-in provider was not accepted. The hub’s log says why.',
  'no-role':
    'The sign-in provider knows you, but nothing it says of you is a role here. Ask an admin.',
  'name-taken':
    'A user of this hub has your name already and signs in with a password. Ask an admin.',
}

/** Why somebody came back from the provider without being let in. */
export const signInProblem = (code: string | null): string | null =>
  code === null ? null : (problems[code] ?? 'Signing in did not work.')
