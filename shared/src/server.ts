import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'

/** A server is its name; this is what a name may be. */
export const serverNamePattern = '^[A-Za-z0-9._-]{1,253}$'

const serverName = new RegExp(serverNamePattern)

export const isServerName = (name: string): boolean => serverName.test(name)

/** Two names that differ only in case are one server. */
export const serverKey = (name: string): string => name.toLowerCase()

/** Ids are 0 … 999,999. */
export const serverIdSpace = 1_000_000

/**
 * The stable id of a server: first 8 hex digits of SHA-256 of the exact name, as uint32, mod 1,000,000, moved up
 * by one until free. The hub's table is the truth; `taken` asks it.
 */
export function serverId(name: string, taken: (id: number) => boolean = () => false): number {
  const [a = 0, b = 0, c = 0, d = 0] = sha256(utf8ToBytes(name))
  const first = (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % serverIdSpace
  for (let moved = 0; moved < serverIdSpace; moved++) {
    const id = (first + moved) % serverIdSpace
    if (!taken(id)) return id
  }
  throw new Error(`no server id is free for ${name}: all ${serverIdSpace} are taken`)
}
