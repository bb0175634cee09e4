import type * as Fs from 'node:fs'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLog } from '../log.ts'
import { openSpool } from './spool.ts'
import { syncAfterMs } from './spool-files.ts'

/**
 * Power cannot be cut in a test, so this keeps account of what a disk owes after each call (as in Pillai et al., "All
 * File Systems Are Not Created Equal", OSDI 2014): what was synced is there, of what was only written any page may be
 * zeros or missing, a name that was not synced may be gone, and one that was removed may be back.
 */
const disk = vi.hoisted(() => ({
  paths: new Map<number, string>(),
  /** How much of a file survives for sure. */
  synced: new Map<string, number>(),
  /** Files of which the name survives for sure. */
  named: new Set<string>(),
  /** Removed since the folder was synced, with what stood in them. */
  removed: new Map<string, Buffer>(),
}))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>()
  type Done = (error: Error | null, ...rest: unknown[]) => void
  return {
    ...fs,
    open(path: string, ...rest: unknown[]) {
      const done = rest.pop() as Done
      const noted: Done = (error, file) => {
        if (!error) {
          disk.paths.set(file as number, path)
          if (rest[0] === 'w') {
            disk.synced.set(path, 0)
            disk.named.delete(path)
          }
        }
        done(error, file)
      }
      ;(fs.open as (...args: unknown[]) => void)(path, ...rest, noted)
    },
    fdatasync(file: number, done: Done) {
      fs.fdatasync(file, (error) => {
        if (!error) disk.synced.set(disk.paths.get(file)!, fs.fstatSync(file).size)
        done(error)
      })
    },
    fsync(file: number, done: Done) {
      fs.fsync(file, (error) => {
        const folder = disk.paths.get(file)!
        if (!error) {
          for (const name of fs.readdirSync(folder)) disk.named.add(`${folder}/${name}`)
          for (const path of disk.removed.keys()) {
            if (dirname(path) === folder) disk.removed.delete(path)
          }
        }
        done(error)
      })
    },
    unlink(path: string, done: Done) {
      if (fs.existsSync(path)) disk.removed.set(path, fs.readFileSync(path))
      fs.unlink(path, done)
    },
  }
})

const pageBytes = 4096
const intervalMs = 10_000
const start = 1_767_225_600_000

let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'agent-power-'))
})
afterEach(() => {
  rmSync(work, { recursive: true, force: true })
})

/** Draws that are the same every time (mulberry32). */
function draws(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The folder as it may be found when the power is back. */
function afterPowerFailure(from: string, to: string, draw: () => number): void {
  mkdirSync(to, { recursive: true })
  const found = (path: string, content: Buffer): void => {
    const sure = Math.min(content.length, disk.synced.get(path) ?? 0)
    const length = sure + Math.floor(draw() * (content.length - sure + 1))
    const left = Buffer.from(content.subarray(0, draw() < 0.5 ? content.length : length))
    for (let page = sure - (sure % pageBytes); page < left.length; page += pageBytes) {
      if (draw() < 0.3) {
        left.fill(0, Math.max(sure, page), Math.min(left.length, page + pageBytes))
      }
    }
    const name = path.slice(from.length + 1)
    writeFileSync(join(to, name), left)
    // What was found on the disk is on the disk.
    disk.synced.set(join(to, name), left.length)
    disk.named.add(join(to, name))
  }
  for (const name of readdirSync(from)) {
    const path = join(from, name)
    if (statSync(path).isFile() && (disk.named.has(path) || draw() < 0.5)) {
      found(path, readFileSync(path))
    }
  }
  for (const [path, content] of disk.removed) {
    if (dirname(path) === from && draw() < 0.5) found(path, content)
  }
  disk.removed.clear()
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a power failure costs at most the last 30 s and one interval (run %i of 25 failures)',
  async (seed) => {
    const draw = draws(seed)
    const clock = { wall: start, elapsed: 0 }
    /** What was taken and not acknowledged: must be sent one day. */
    const owed = new Map<number, { at: number; json: string }>()
    let seq = 0
    let isHubThere = true
    let lostAtAll = 0
    let survived = 0
    for (let failure = 0; failure < 25; failure++) {
      const state = join(work, String(failure))
      const spool = openSpool(state, {
        ...{ maxBytes: 64e6, maxAgeMs: 7 * 86_400_000, maxInMemory: 1_000, log: silentLog },
        clock: { now: () => clock.wall, monotonicMs: () => clock.elapsed },
      })
      const samples = 5 + Math.floor(draw() * 120)
      for (let i = 0; i < samples; i++) {
        clock.wall += intervalMs
        clock.elapsed += intervalMs
        seq++
        // As large as ten real ones, so that files end and begin.
        const json = JSON.stringify({ seq, text: 'x'.repeat(Math.floor(draw() * 8000)) })
        owed.set(seq, { at: clock.wall, json })
        spool.add({ seq, at: clock.wall, json })
        await spool.idle()
        if (draw() < 0.05) isHubThere = !isHubThere
        if (isHubThere && draw() < 0.9) {
          spool.forgetUpTo(seq)
          owed.clear()
        }
      }

      const next = join(work, String(failure + 1))
      if (existsSync(join(state, 'spool'))) {
        afterPowerFailure(join(state, 'spool'), join(next, 'spool'), draw)
      }
      const found = openSpool(next, {
        ...{ maxBytes: 64e6, maxAgeMs: 7 * 86_400_000, maxInMemory: 1_000, log: silentLog },
        clock: { now: () => clock.wall, monotonicMs: () => clock.elapsed },
      })
      let before = 0
      const kept = new Set<number>()
      for (;;) {
        const some = await found.first(50)
        if (some.length === 0) break
        for (const sample of some) {
          expect(sample.seq).toBeGreaterThan(before)
          before = sample.seq
          kept.add(sample.seq)
          const taken = owed.get(sample.seq)
          if (taken) expect(sample.json).toBe(taken.json)
        }
        found.forgetUpTo(before)
      }
      for (const [number, { at }] of owed) {
        if (kept.has(number)) survived++
        else {
          lostAtAll++
          const age = clock.wall - at
          expect(age, `sample ${number} of ${seq}`).toBeLessThanOrEqual(syncAfterMs + intervalMs)
        }
      }
      // They have been sent now; the next failure is of what comes.
      owed.clear()
      seq = Math.max(seq, found.last() ?? 0)
      await found.close()
    }
    // A disk on which nothing was ever at stake would have shown nothing.
    expect(survived).toBeGreaterThan(50)
    expect(lostAtAll).toBeGreaterThan(0)
  },
)
