import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { cpSync, readSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { architectures, products } from '../../../installers/package/target.ts'
import { buildPackages } from '../build.ts'
import { cache, suite } from '../debian-root.ts'
import { run } from '../system-tools.ts'
import { noTrials } from './booted-machine.ts'

const emulator = '/usr/bin/qemu-aarch64-static'
const reason = noTrials('qemu-aarch64-static', 'debootstrap', 'dpkg-deb')

/** A Debian of the other processor, unpacked: what is in it was never run. */
function unpackedDebian(): string {
  const kept = join(cache, `${suite}-arm64-unpacked`)
  if (existsSync(kept)) return kept
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'new-'))
  run('debootstrap', ['--arch=arm64', '--foreign', '--variant=minbase', suite, work])
  // A link to /proc, whatever the root.
  rmSync(join(work, 'proc'), { recursive: true })
  mkdirSync(join(work, 'proc'))
  cpSync(emulator, join(work, emulator))
  renameSync(work, kept)
  return kept
}

/** The processor in the header of an ELF file; undefined for all else. */
function processorOf(file: string): number | undefined {
  const head = Buffer.alloc(20)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, head, 0, 20, 0)
  closeSync(descriptor)
  return head.toString('latin1', 0, 4) === '\x7fELF' ? head.readUInt16LE(18) : undefined
}

describe.skipIf(reason !== undefined)('the packages for arm64', () => {
  test(
    'hold programs of that processor alone, and run on one that is emulated',
    { timeout: 900_000 },
    async () => {
      const work = mkdtempSync(join(tmpdir(), 'harbinger-arm64-'))
      const root = join(work, 'root')
      const out = join(work, 'out')
      run('cp', ['-a', '--reflink=auto', unpackedDebian(), root])
      run('mount', ['-t', 'proc', 'proc', join(root, 'proc')])
      onTestFinished(() => {
        run('umount', ['--lazy', join(root, 'proc')])
        run('rm', ['-rf', '--one-file-system', work])
      })
      const how = ['--arch', 'arm64', '--format', 'deb', '--compression', '0']
      const files = await buildPackages(...how, '--out', out)
      for (const { name } of Object.values(products)) {
        const deb = files.find((file) => file.includes(`${name}_`))!
        run('dpkg-deb', ['-x', deb, root])
        const programs = join(root, 'usr/lib', name)
        const processors = run('find', [programs, '-type', 'f'])
          .trim()
          .split('\n')
          .map(processorOf)
          .filter((processor) => processor !== undefined)
        expect(new Set(processors)).toEqual(new Set([architectures.arm64.elfMachine]))
        // Node, and in the hub SQLite and the runtime of the network with its binding.
        expect(processors).toHaveLength(name === 'harbinger-hub' ? 4 : 1)
      }

      const emulated = (command: string, ...words: string[]): string => {
        // The last line of what starts it: "exec $as NODE FLAGS PROGRAM "$@"".
        const line = readFileSync(join(root, 'usr/bin', command), 'utf8')
          .trim()
          .split('\n')
          .at(-1)!
        const program = line.split(' ').slice(2, -1)
        return run('chroot', [root, emulator, ...program, ...words])
      }
      const { m } = JSON.parse(emulated('harbinger-agent', 'once')) as { m: object }
      process.stderr.write(`one sample on arm64: ${JSON.stringify(m)}\n`)
      expect(m).toMatchObject({
        mem_used_pct: expect.any(Number),
        load_average: expect.any(Number),
      })

      // SQLite opens a database there, and the network runs.
      mkdirSync(join(root, 'tmp/data'))
      const hub = ['--data', '/tmp/data', '--json']
      expect(JSON.parse(emulated('harbinger', 'token', 'list', ...hub))).toEqual({ tokens: [] })
      const findings = JSON.parse(emulated('harbinger', 'doctor', ...hub)) as {
        check: string
        ok: boolean
        found: string
      }[]
      expect(findings.find(({ check }) => check === 'device')).toMatchObject({
        ok: true,
        found: expect.stringContaining('runs on cpu'),
      })
    },
  )
})
