import { expect, test } from 'vitest'
import { hashPassword, isPassword, whyWeak } from './password.ts'

const cheap = { memory: 64, passes: 1, parallelism: 1 }

test('a password costs 64 MiB and three passes, and each time another salt', async () => {
  const hash = await hashPassword('four words in a row')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  expect(await isPassword('four words in a row', hash)).toBe(true)
  expect(await isPassword('four words in a roW', hash)).toBe(false)
  const again = await Promise.all([1, 2].map(() => hashPassword('x', cheap)))
  expect(again[0]).not.toBe(again[1])
})

test('what another program hashed is understood, with the cost that it chose', async () => {
  // echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32, as the reference implementation's tests have it.
  const hash =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  expect(await isPassword('password', hash)).toBe(true)
})

test('a letter that is composed is the same letter', async () => {
  expect(await isPassword('cafe\u0301', await hashPassword('caf\u00e9', cheap))).toBe(true)
})

test('what is stored and is no hash is a failure, not a wrong password', async () => {
  await expect(isPassword('x', 'x')).rejects.toThrow(/not in the form/)
})

test.each([
  ['short', /at least 12 characters, this has 5/],
  ['x'.repeat(257), /at most 256/],
  ['ada lovelace 1815', /does not contain the name/],
  ['abababababab', /at least 5 different/],
  ['password123456', /first that somebody would try/],
  ['Harbinger!!2026', /first that somebody would try/],
])('%j is not taken', (password, reason) => {
  expect(whyWeak(password, 'Ada')).toMatch(reason)
})

test.each(['four words in a row', 'ünïcödé pässwörd', '🦊🐢🐙🦔🐝🦉🐋🐎🦀🐍🦂🐌'])(
  '%j is taken',
  (password) => expect(whyWeak(password, 'Ada')).toBeUndefined(),
)
