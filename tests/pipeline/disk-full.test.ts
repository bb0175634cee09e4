import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStores } from '../../hub/src/storage/stores.ts'
import { freePort, type Running, startAgent, startHub, untilTrue } from './processes.ts'

/** A disk of a few megabytes is a tmpfs, and mounting one is for root. */
function cannotMount(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root can mount a small disk'
  const probe = mkdtempSync(join(tmpdir(), 'harbinger-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe], { stdio: 'ignore' })
    execFileSync('umount', [probe])
    return undefined
  } catch {
    return 'this root may not mount'
  } finally {
    rmSync(probe, { recursive: true })
  }
}

const reason = cannotMount()
if (reason) test(`a full disk is not tested: ${reason}`, ({ skip }) => skip(reason))

describe.skipIf(reason !== undefined)('a full disk', () => {
  const running: Running[] = []
  const started = <Process extends Running>(process: Process): Process => {
    running.push(process)
    return process
  }
  let folder: string
  const disks = { agent: '512k', hub: '24m' }
  const filler = (disk: keyof typeof disks) => join(folder, disk, 'filler')

  function fill(disk: keyof typeof disks) {
    const file = openSync(filler(disk), 'a')
    for (const chunk of [65_536, 4_096]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(chunk, 1))
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' })
      }
    }
    closeSync(file)
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'harbinger-full-'))
    for (const [disk, size] of Object.entries(disks)) {
      mkdirSync(join(folder, disk))
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', join(folder, disk)])
    }
  })
  afterAll(async () => {
    for (const one of running) await one.end()
    for (const disk of Object.keys(disks)) execFileSync('umount', ['-l', join(folder, disk)])
    rmSync(folder, { recursive: true, force: true })
  })

  test(
    'on the agent, then on the hub: both survive, say so, resume, and nothing is lost',
    // No second try: it says that nothing is lost.
    { timeout: 120_000 },
    async () => {
      const port = await freePort()
      const agent = started(startAgent(join(folder, 'agent'), `mqtt://127.0.0.1:${port}`))
      const taken = () =>
        agent.lines.filter(({ msg }) => msg === 'spooled').map(({ upTo }) => Number(upTo))
      await untilTrue('the agent spools', () => taken().length >= 2)
      fill('agent')
      await agent.until('cannot be spooled to disk')
      const onDisk = taken().length
      rmSync(filler('agent'))
      await agent.until('spooled to disk again')
      expect(taken().at(-1)! - taken()[0]!).toBeGreaterThan(onDisk)

      const hub = started(await startHub(join(folder, 'hub'), { mqttPort: port }))
      const health = async () =>
        (await hub.get('/health')) as unknown as {
          problems: string[]
          counters: { samplesStored: number }
        }
      await untilTrue(
        'what waited is stored',
        async () => (await health()).counters.samplesStored > onDisk,
      )

      fill('hub')
      await hub.until('storage failed')
      await untilTrue('health says so', async () =>
        (await health()).problems.some((problem) => problem.includes('storage fails')),
      )
      rmSync(filler('hub'))
      await hub.until('storage works again')
      await untilTrue('health is well again', async () =>
        (await health()).problems.every((problem) => !problem.includes('storage fails')),
      )

      const stores = openStores(join(folder, 'hub'))
      const rows = stores.db.prepare('SELECT seq FROM samples ORDER BY seq').pluck()
      // Numbers follow each other: what was only in memory for a while is among them.
      const owed = Array.from(
        { length: taken().at(-1)! - taken()[0]! + 1 },
        (_, i) => taken()[0]! + i,
      )
      await untilTrue('every sample is stored', () => {
        const stored = new Set(rows.all() as number[])
        return owed.every((seq) => stored.has(seq))
      })
      const seqs = rows.all() as number[]
      stores.close()
      expect(new Set(seqs).size).toBe(seqs.length)
    },
  )
})
