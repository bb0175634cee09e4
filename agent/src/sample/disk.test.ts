import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Blocks, diskCollector, parseMounts, pickLocal, toUsage } from './disk.ts'

const mountinfo = (machine: string) =>
  readFileSync(new URL(`../../fixtures/${machine}/before/proc/self/mountinfo`, import.meta.url))

const full = (percent: number): Blocks => ({
  blocks: 100,
  bfree: 100 - percent,
  bavail: 100 - percent,
})

const collect = (usage: { [path: string]: Blocks | string }, watched?: string) => {
  const disk = diskCollector(
    { read: () => mountinfo('bare-metal') },
    {
      watched,
      async usageOf(path) {
        const found = usage[path] ?? full(1)
        if (typeof found === 'string') throw Object.assign(new Error(found), { code: found })
        return found
      },
    },
  )
  return { disk, readings: disk.collect() }
}

describe('disk collector', () => {
  test('watches the fullest local file system and says which', async () => {
    const { disk, readings } = collect({
      '/': full(40),
      '/srv/with space': full(71),
      '/backup': full(99),
    })
    expect(await readings).toEqual({ disk_usage_pct: 71 })
    expect(disk.watched()).toBe('/srv/with space')
  })

  test('watches what it is told to', async () => {
    const { readings } = collect({ '/': full(40), '/home': full(12) }, '/home')
    expect(await readings).toEqual({ disk_usage_pct: 12 })
  })

  test('passes over a mount it may not enter', async () => {
    expect(await collect({ '/': full(40), '/home': 'EACCES' }).readings).toEqual({
      disk_usage_pct: 40,
    })
  })

  test('fails when the disk does', async () => {
    await expect(collect({ '/': 'EIO' }).readings).rejects.toThrow('EIO')
  })
})

test('takes each local, writable file system once: no network, image, bind mount or second subvolume', () => {
  expect(pickLocal(parseMounts(mountinfo('bare-metal').toString()))).toEqual([
    '/',
    '/boot/efi',
    '/srv/with space',
    '/home',
  ])
})

test('sees the same file systems from a service that may write nowhere', () => {
  const seenFromInside = mountinfo('bare-metal')
    .toString()
    .replaceAll(/^((?:\S+ ){5})rw/gm, '$1ro')
  expect(seenFromInside).not.toBe(mountinfo('bare-metal').toString())
  expect(pickLocal(parseMounts(seenFromInside))).toContain('/srv/with space')
  expect(pickLocal(parseMounts(seenFromInside))).not.toContain('/mnt/old')
})

test("takes a container's own root when there is nothing else", () => {
  expect(pickLocal(parseMounts(mountinfo('container').toString()))).toEqual(['/'])
})

test('refuses a line that is no mount', () => {
  expect(() => parseMounts('22 1 8:2 / /\n')).toThrow('/proc/self/mountinfo: expected a mount')
})

test('keeps what is reserved for root out of the share, as df does', () => {
  expect(toUsage({ blocks: 1000, bfree: 300, bavail: 250 })).toBe(73.68)
  expect(toUsage({ blocks: 0, bfree: 0, bavail: 0 })).toBeUndefined()
})
