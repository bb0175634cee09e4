import { type Role, roles, type Scope, scopes } from '@harbinger/shared/people-api'

/** Who asks for something. */
export type Caller =
  /** Nobody logged in, and nobody has to: see `accessMode`. */
  | { readonly kind: 'open'; readonly name: string; readonly role: Role }
  | {
      readonly kind: 'user'
      readonly name: string
      readonly role: Role
      readonly userId: number
      /** Hash of the session. */
      readonly session: Buffer
      readonly hasPassword: boolean
    }
  | { readonly kind: 'token'; readonly name: string; readonly role: Role; readonly token: Buffer }
  /** A command on the hub's machine, which may read its data folder anyway. */
  | { readonly kind: 'command'; readonly name: string; readonly role: Role }

/** Who did something and from where, for the audit log. */
export type By = { readonly who: string; readonly address: string }

/** The role that may do what a scope says, and no more. */
export const roleOfScope = (scope: Scope): Role => roles[scopes.indexOf(scope)]!

export const lowerRole = (a: Role, b: Role): Role => (roles.indexOf(a) < roles.indexOf(b) ? a : b)

export const isRole = (text: string): text is Role => (roles as readonly string[]).includes(text)
export const isScope = (text: string): text is Scope => (scopes as readonly string[]).includes(text)
