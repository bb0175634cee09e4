import { isIPv6 } from 'node:net'

type Tries = { count: number; lastAt: number; waitUntil: number; isTold: boolean }

/** `isNews`: the first one of this wait, so that a log says it once. */
export type Wait = { readonly seconds: number; readonly isNews: boolean }
type Rule = { readonly free: number; readonly longestMs: number }

/** What one address may try of one account: five wrong passwords, then waits of 1 s, 2 s, 4 s … 15 min. */
const pairRule: Rule = { free: 5, longestMs: 900_000 }
/** What one address may try of all accounts: an office behind one address has more than one person. */
const addressRule: Rule = { free: 30, longestMs: 900_000 }
/**
 * What all addresses together may try of one account. No longer than a minute: whoever can make a person wait must
 * not be able to lock them out; an address from which the person has logged in before is spared.
 */
const accountRule: Rule = { free: 50, longestMs: 60_000 }
/** Tries are forgotten when none came for so long. */
const forgottenMs = 3_600_000
const mostKept = 20_000

export type Attempts = ReturnType<typeof attempts>

/**
 * Counts tries to log in, each before its password is looked at, so that many at once are many tries. Kept in memory
 * and bounded: a hub that starts again has forgotten them.
 */
export function attempts(now: () => number) {
  const kept = new Map<string, Tries>()
  const proven = new Set<string>()

  function look(key: string): Tries | undefined {
    const tries = kept.get(key)
    if (tries && now() - tries.lastAt > forgottenMs) {
      kept.delete(key)
      return undefined
    }
    return tries
  }

  function count(key: string, { free, longestMs }: Rule): void {
    const tries = look(key) ?? { count: 0, lastAt: 0, waitUntil: 0, isTold: false }
    tries.count++
    tries.lastAt = now()
    tries.isTold = false
    const over = tries.count - free
    tries.waitUntil = over < 0 ? 0 : now() + Math.min(longestMs, 1000 * 2 ** Math.min(over, 20))
    // The one longest untried goes first.
    kept.delete(key)
    kept.set(key, tries)
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!)
  }

  const keys = (account: string, address: string) => {
    const who = account.normalize('NFKC').toLowerCase().slice(0, 64)
    const from = networkOf(address)
    return { pair: `p ${who} ${from}`, address: `a ${from}`, account: `u ${who}` }
  }

  return {
    /** How long to wait before the next try; undefined: go on, and this one counts as wrong until `right`. */
    begin(account: string, address: string): Wait | undefined {
      const key = keys(account, address)
      const rules: [string, Rule][] = [
        [key.pair, pairRule],
        [key.address, addressRule],
      ]
      if (!proven.has(key.pair)) rules.push([key.account, accountRule])
      const waits = rules.flatMap(([name]) => look(name) ?? [])
      const longest = waits.sort((a, b) => b.waitUntil - a.waitUntil)[0]
      if (longest && longest.waitUntil > now()) {
        const isNews = !longest.isTold
        longest.isTold = true
        return { seconds: Math.ceil((longest.waitUntil - now()) / 1000), isNews }
      }
      for (const [name, rule] of rules) count(name, rule)
      return undefined
    },
    /** It was the right password: what was wrong of this account from here is forgiven. */
    right(account: string, address: string): void {
      const key = keys(account, address)
      kept.delete(key.pair)
      for (const name of [key.address, key.account]) {
        const tries = kept.get(name)
        if (tries) {
          tries.count = Math.max(0, tries.count - 1)
          tries.waitUntil = 0
        }
      }
      proven.add(key.pair)
      if (proven.size > mostKept) proven.delete(proven.values().next().value!)
    },
  }
}

/** One household or machine has a whole /64 of IPv6 addresses to try from. */
export function networkOf(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (v4) return v4
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().split('%')[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle =
    tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...middle, ...right]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}
