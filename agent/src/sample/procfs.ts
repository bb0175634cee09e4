import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'

export type Procfs = ReturnType<typeof openProcfs>

/** Most files of /proc fit; a longer one makes the buffer grow once and stay grown. */
const firstBufferBytes = 16 * 1024

/**
 * A kernel's file tree (/proc or /sys) below `root`, which is a setting: tests point it at recorded machines, a
 * container at the host's tree. Reads are synchronous: the kernel answers from memory, and a round trip through
 * the thread pool costs more CPU than the read.
 */
export function openProcfs(root: string) {
  let buffer: Buffer = Buffer.allocUnsafeSlow(firstBufferBytes)

  /** The bytes of a file, valid until the next read: one buffer serves them all. */
  function read(path: string): Buffer {
    const file = openSync(`${root}/${path}`, 'r')
    try {
      let length = 0
      for (;;) {
        if (length === buffer.length) buffer = grown(buffer)
        // Files of /proc say they are empty and answer a page at a time; only a read of 0 bytes is the end.
        const got = readSync(file, buffer, length, buffer.length - length, null)
        if (got === 0) return buffer.subarray(0, length)
        length += got
      }
    } finally {
      closeSync(file)
    }
  }

  /** The bytes of a long table in pieces of whole lines, each valid until the next: it may be larger than the agent. */
  function readPieces(path: string, take: (piece: Buffer) => void): void {
    const file = openSync(`${root}/${path}`, 'r')
    try {
      let length = 0
      for (;;) {
        const got = readSync(file, buffer, length, buffer.length - length, null)
        length += got
        if (got === 0) {
          if (length > 0) take(buffer.subarray(0, length))
          return
        }
        if (length < buffer.length) continue
        const end = buffer.lastIndexOf(0x0a) + 1
        if (end === 0) buffer = grown(buffer)
        else {
          take(buffer.subarray(0, end))
          buffer.copy(buffer, 0, end, length)
          length -= end
        }
      }
    } finally {
      closeSync(file)
    }
  }

  return {
    root,
    read,
    readPieces,
    /** The bytes of a file of one short record, which the kernel gives in one piece; valid until the next read. */
    readRecord(path: string): Buffer {
      const file = openSync(`${root}/${path}`, 'r')
      try {
        return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, null))
      } finally {
        closeSync(file)
      }
    },
    text: (path: string): string => read(path).toString('utf8'),
    exists: (path: string): boolean => existsSync(join(root, path)),
    list: (path: string): string[] => readdirSync(join(root, path)),
    /** Where a symbolic link points; undefined when there is none. */
    link(path: string): string | undefined {
      try {
        return readlinkSync(join(root, path))
      } catch {
        return undefined
      }
    },
  }
}

function grown(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafeSlow(buffer.length * 4)
  buffer.copy(larger)
  return larger
}

/** True for an error that says the file, or the process it belongs to, is not there. */
export const isGone = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException
  // ESRCH: the process ended between opening and reading its file.
  return code === 'ENOENT' || code === 'ESRCH'
}
