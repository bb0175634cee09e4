import { argon2, type Argon2Parameters, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { passwordLength } from '@harbinger/shared/people-api'

const derive = promisify(
  (parameters: Argon2Parameters, done: (error: Error | null, key: Buffer) => void) =>
    argon2('argon2id', parameters, done),
)

/**
 * RFC 9106's second choice with one lane, for one password is hashed at a time: 64 MiB, three passes; some 0.2 s of
 * one core. OWASP asks for 19 MiB and two passes at least.
 */
export const passwordCost: Cost = { memory: 65_536, passes: 3, parallelism: 1 }

/** KiB, passes, lanes. */
export type Cost = {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

const saltBytes = 16
const tagBytes = 32

/** As people type it: a letter composed on one keyboard is the same letter on another. */
const bytesOf = (password: string): Buffer => Buffer.from(password.normalize('NFKC'))
const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')

/** argon2id in PHC form, which carries its own cost, so that the cost may rise later. */
export async function hashPassword(password: string, cost: Cost = passwordCost): Promise<string> {
  const nonce = randomBytes(saltBytes)
  const tag = await derive({ message: bytesOf(password), nonce, tagLength: tagBytes, ...cost })
  return phc(cost, nonce, tag)
}

const phc = (cost: Cost, salt: Buffer, tag: Buffer): string =>
  `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(tag)}`

const form = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** Nobody's: what a password is held against when there is no such user, so that both take as long. */
export const nobodysHash = (cost: Cost = passwordCost): string =>
  phc(cost, randomBytes(saltBytes), randomBytes(tagBytes))

/** Throws when what is stored is no hash of ours. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt, tag] = form.exec(stored) ?? []
  if (!salt || !tag) throw new Error('a stored password is not in the form $argon2id$v=19$…')
  const expected = Buffer.from(tag, 'base64')
  const got = await derive({
    ...{ message: bytesOf(password), nonce: Buffer.from(salt, 'base64') },
    ...{ memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    tagLength: expected.length,
  })
  return timingSafeEqual(got, expected)
}

const leastDifferent = 5

/** Why a password is not taken; undefined when it is. Length is what counts, so no rule asks for signs. */
export function whyWeak(password: string, name: string): string | undefined {
  const letters = [...password.normalize('NFKC')]
  const { min, max } = passwordLength
  if (letters.length < min) {
    return `a password has at least ${min} characters, this has ${letters.length}; a few words that do not belong together are easy to keep in mind`
  }
  if (letters.length > max) return `a password has at most ${max} characters`
  const lower = password.toLowerCase()
  if (name.length > 2 && lower.includes(name.toLowerCase())) {
    return 'a password does not contain the name of its user'
  }
  if (new Set(letters).size < leastDifferent) {
    return `a password has at least ${leastDifferent} different characters`
  }
  if (/^(?:password|harbinger|administrator|qwerty)[\W\d]*$/.test(lower)) {
    return 'this password is among the first that somebody would try'
  }
  return undefined
}
