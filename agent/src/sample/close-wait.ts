import type { Collector } from './collector.ts'
import { isGone, type Procfs } from './procfs.ts'

const closeWait = 0x3038 // "08", see include/net/tcp_states.h
const listen = 0x3041 // "0A"

/** What /proc/net/tcp and tcp6 say together. */
export type SocketCount = {
  readonly listening: Set<number>
  /** Local port → sockets in CLOSE_WAIT. */
  readonly waiting: Map<number, number>
  /** All of them, in whatever state. */
  total: number
}

/** As many sockets as may be read for every sample: half the CPU an agent may have. */
const socketsPerSample = 10_000

type Options = {
  /** Told when the sockets are too many to be counted for every sample, and when they no longer are. */
  readonly onPace?: (every: number, sockets: number) => void
}

/**
 * Connections the other side has closed and this side has not: `front` where this server listens on the local
 * port (its own program forgets to close), `back` where it is the client. Sockets of the network namespace the
 * agent runs in.
 *
 * The kernel lists every socket to whoever asks, so that many of them cost more than all other readings together. Beyond
 * 10,000 they are counted for every second, third … sample only and absent from the others: 50,000 cost what 10,000 do.
 */
export function closeWaitCollector(
  procfs: Pick<Procfs, 'read' | 'readPieces'>,
  { onPace }: Options = {},
): Collector<'back_close_wait' | 'front_close_wait'> {
  let every = 1
  let toSkip = 0

  function pace(sockets: number) {
    const next = Math.max(1, Math.ceil(sockets / socketsPerSample))
    if (next > 1 !== every > 1) onPace?.(next, sockets)
    every = next
    toSkip = next - 1
  }

  return {
    name: 'close-wait',
    reads: ['back_close_wait', 'front_close_wait'],
    collect() {
      if (toSkip > 0) {
        toSkip--
        return {}
      }
      const count: SocketCount = { listening: new Set(), waiting: new Map(), total: 0 }
      countTable(procfs, 'net/tcp', count)
      if (hasIpv6Sockets(procfs)) countTable(procfs, 'net/tcp6', count)
      pace(count.total)

      let back = 0
      let front = 0
      for (const [port, sockets] of count.waiting) {
        if (count.listening.has(port)) front += sockets
        else back += sockets
      }
      return { back_close_wait: back, front_close_wait: front }
    },
  }
}

/**
 * For each table the kernel walks its whole hash of connections, half a million buckets on a large server: 3 to 7 ms,
 * most of what a sample costs. Its count of IPv6 sockets says for nothing when that would find none.
 */
function hasIpv6Sockets(procfs: Pick<Procfs, 'read'>): boolean {
  try {
    return !procfs.read('net/sockstat6').toString('latin1').includes('TCP6: inuse 0\n')
  } catch (error) {
    // A kernel without IPv6 has no such file, and no such sockets.
    if (isGone(error)) return false
    throw error
  }
}

function countTable(procfs: Pick<Procfs, 'readPieces'>, path: string, count: SocketCount): void {
  let isFirst = true
  procfs.readPieces(path, (piece) => {
    countSockets(piece, count, { hasColumns: isFirst })
    isFirst = false
  })
  if (isFirst) throw new Error(`/proc/${path} is empty`)
}

/**
 * Adds the sockets of one table or a piece of it, see proc_pid_net(5). Read byte by byte at fixed offsets from the first colon: with
 * 5,000 sockets a line by line split costs several times the whole budget of a sample.
 *
 *     `   0: 0100007F:1F90 00000000:0000 0A …`, addresses of 8 hex digits, or 32 in tcp6
 */
export function countSockets(
  table: Buffer,
  count: SocketCount,
  { hasColumns = true }: { readonly hasColumns?: boolean } = {},
): void {
  const { listening, waiting } = count
  let line = hasColumns ? table.indexOf(0x0a) + 1 : 0 // the first line names the columns
  if (hasColumns && line === 0) throw new Error('/proc/net/tcp has no line of column names')

  // Lines of one table are alike: where the colon and the end were, they mostly are again. No line is half as long as
  // another, so a newline at that place is this line's.
  let width = 4
  let length = 0
  while (line < table.length) {
    let colon = line + width
    if (table[colon] !== 0x3a) {
      colon = line
      while (table[colon] !== 0x3a && colon < table.length) colon++
      width = colon - line
    }
    let port = colon + 2 + 8
    if (table[port] !== 0x3a) port = colon + 2 + 32
    const state = port + 6 + (port - colon - 2) + 6
    if (table[port] !== 0x3a || table[state - 1] !== 0x20 || state + 1 >= table.length) {
      throw new Error(
        `/proc/net/tcp: expected a socket, got ${JSON.stringify(table.toString('latin1', line, line + 80))}`,
      )
    }
    count.total++
    const code = (table[state]! << 8) | table[state + 1]!
    if (code === listen) listening.add(hexAt(table, port + 1))
    else if (code === closeWait) {
      const local = hexAt(table, port + 1)
      waiting.set(local, (waiting.get(local) ?? 0) + 1)
    }
    if (length === 0 || table[line + length] !== 0x0a) {
      const end = table.indexOf(0x0a, state)
      length = (end === -1 ? table.length : end) - line
    }
    line += length + 1
  }
}

const hexAt = (table: Buffer, at: number): number =>
  Number.parseInt(table.toString('latin1', at, at + 4), 16)
