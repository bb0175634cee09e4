import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig, settings as agentSettings } from '../../agent/src/config.ts'
import { readConfig } from '../../hub/src/config.ts'
import { settings as hubSettings } from '../../hub/src/settings.ts'
import { settingsHelp } from '../../hub/src/settings-help.ts'
import { configFile } from '../../installers/package/documented-settings.ts'
import {
  architectures,
  type Architecture,
  productNames,
  products,
} from '../../installers/package/target.ts'
import { buildPackages, quickPackage, quickTree } from './build.ts'
import { lacks, reasonToSkip, run } from './system-tools.ts'

const reason = reasonToSkip([
  process.platform !== 'linux' && 'packages are built on Linux',
  lacks('dpkg-deb', 'rpmbuild', 'xz'),
])
const work = mkdtempSync(join(tmpdir(), 'harbinger-packages-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

describe.skipIf(reason !== undefined)('packages', () => {
  test(
    'the package of the agent is small, even pressed less than for a release',
    { timeout: 300_000 },
    async () => {
      const out = join(work, 'agent')
      const how = ['--product', 'agent', '--arch', 'amd64', '--format', 'deb', '--compression', '2']
      const [deb, sums] = await buildPackages(...how, '--out', out)
      expect(statSync(deb!).size / 1e6).toBeLessThan(products['harbinger-agent'].maxMegabytes)
      expect(readFileSync(sums!, 'utf8')).toBe(`${sha256(deb!)}  harbinger-agent_0.1.0_amd64.deb\n`)
    },
  )

  test.each([
    ['harbinger-hub', 'deb'],
    ['harbinger-agent', 'rpm'],
  ] as const)(
    'two builds of %s as %s are the same bytes',
    { timeout: 120_000 },
    (product, format) => {
      const once = (name: string, zone: string) => {
        const folder = mkdtempSync(join(work, name))
        const before = process.env['TZ']
        process.env['TZ'] = zone
        try {
          return sha256(quickPackage({ product, format, folder }))
        } finally {
          if (before === undefined) delete process.env['TZ']
          else process.env['TZ'] = before
        }
      }
      expect(once('one-', 'UTC')).toBe(once('another-place-', 'Asia/Tokyo'))
    },
  )

  test.each(
    (Object.keys(architectures) as Architecture[]).flatMap((arch) =>
      productNames.map((product) => ({ product, arch })),
    ),
  )('nothing in $product for $arch is of another system or processor', ({ product, arch }) => {
    const folder = mkdtempSync(join(work, 'foreign-'))
    const tree = quickTree({ product, arch, format: 'deb', folder })
    const kinds = tree
      .entries()
      .filter(({ kind }) => kind === 'file')
      .map(({ path }) => ({ path, machine: machineOf(join(tree.folder, path)) }))
    const native = kinds.filter(({ machine }) => machine !== undefined)
    expect(native.filter(({ machine }) => machine !== architectures[arch].elfMachine)).toEqual([])
    // better-sqlite3, and the runtime with its binding.
    expect(native.length).toBe(product === 'harbinger-hub' ? 3 : 0)
    rmSync(folder, { recursive: true })
  })

  test('whatever the sources of the hub import is in its package', () => {
    const folder = mkdtempSync(join(work, 'imports-'))
    const tree = quickTree({ product: 'harbinger-hub', format: 'deb', folder })
    const programs = join(tree.folder, 'usr/lib/harbinger-hub')
    const sources = tree.entries().filter(({ path }) => /\/src\/.*\.ts$/.test(path))
    expect(sources.length).toBeGreaterThan(150)
    const missing = sources.flatMap(({ path }) => {
      const file = join(tree.folder, path)
      const text = readFileSync(file, 'utf8')
      const names = [...text.matchAll(/(?:from |import\(|new URL\()'([^']+)'/g)].map(([, n]) => n!)
      return names
        .filter((name) => !isThere(name, file, programs))
        .map((name) => `${path}: ${name}`)
    })
    expect(missing).toEqual([])
    rmSync(folder, { recursive: true })
  })

  test('the files are what the code reads: defaults, but for where data are, and for a network', async () => {
    const agent = join(work, 'agent.yaml')
    const hub = join(work, 'hub.yaml')
    writeFileSync(agent, configFile('harbinger-agent'))
    writeFileSync(hub, configFile('harbinger-hub'))
    const plain = join(work, 'empty.yaml')
    writeFileSync(plain, '')
    expect(await loadConfig({ file: agent, env: {} })).toEqual({
      ...(await loadConfig({ file: plain, env: {} })),
      // It waits until this server has joined.
      hub: 'none',
      stateDirectory: '/var/lib/harbinger/agent',
      statusDirectory: '/run/harbinger-agent',
    })
    const installed = readConfig({ file: hub, env: {} })
    const secure = readConfig({ file: plain, env: { HARBINGER_TLS_MODE: 'on' } })
    expect(installed).toEqual({
      ...{ ...secure, file: hub, dataFolder: '/var/lib/harbinger/hub' },
      http: { ...secure.http, host: '0.0.0.0', port: 8443, allowPlain: false },
      mqtt: { host: '0.0.0.0', port: 8883, allowPlain: false },
    })
    // And with every line in force they still are.
    const uncommented = (text: string) =>
      text.replaceAll(/^#([\w.]+:)/gm, '$1').replaceAll(/^# {2}- /gm, '  - ')
    writeFileSync(agent, uncommented(configFile('harbinger-agent')))
    writeFileSync(hub, uncommented(configFile('harbinger-hub')))
    expect((await loadConfig({ file: agent, env: {} })).intervalSeconds).toBe(10)
    expect(readConfig({ file: hub, env: {} }).profileRules).toHaveLength(1)
  })

  test('every setting is in its file, and says what it is for', () => {
    for (const key of Object.keys(agentSettings)) {
      expect(configFile('harbinger-agent')).toMatch(new RegExp(`^#?${key}:`, 'm'))
    }
    for (const key of Object.keys(hubSettings)) {
      expect(configFile('harbinger-hub')).toMatch(new RegExp(`^#?${key.replace('.', '\\.')}:`, 'm'))
      expect(
        settingsHelp,
        'a sentence for the man page, in hub/src/settings-help.ts',
      ).toHaveProperty([key])
    }
  })

  test('a key signs the list of what was built', { timeout: 60_000 }, async ({ skip }) => {
    const missing = lacks('gpg', 'rpmsign')
    if (missing && process.env['CI'] !== 'true') skip(missing)
    const home = mkdtempSync(join(work, 'gpg-'))
    const env = { ...process.env, GNUPGHOME: home }
    const key = 'packages@harbinger.test'
    const unattended = ['--batch', '--passphrase', '']
    run('gpg', [...unattended, '--quick-gen-key', key, 'rsa2048', 'sign', '1d'], { env })
    const { signRpms, writeChecksums } = await import('../../installers/package/sign.ts')
    const folder = mkdtempSync(join(work, 'signed-'))
    const rpm = quickPackage({ product: 'harbinger-agent', format: 'rpm', folder })
    process.env['GNUPGHOME'] = home
    try {
      signRpms([rpm], key)
      const [sums, signature] = writeChecksums([rpm], folder, key)
      run('gpg', ['--verify', signature!, sums!], { env })
      writeFileSync(sums!, 'something else\n')
      expect(() => run('gpg', ['--verify', signature!, sums!], { env })).toThrow('BAD signature')
      const database = join(home, 'rpm')
      const publicKey = join(home, 'public.asc')
      run('gpg', ['--armor', '--output', publicKey, '--export', key], { env })
      run('rpmkeys', ['--dbpath', database, '--import', publicKey])
      expect(run('rpmkeys', ['--dbpath', database, '--checksig', '-v', rpm])).toMatch(
        /RSA\/\S+ Signature, key ID \S+ OK|Signature.*OK/,
      )
    } finally {
      delete process.env['GNUPGHOME']
      run('gpgconf', ['--kill', 'all'], { env })
    }
  })
})

/** The number of an ELF header; -1 for a program of macOS or Windows; undefined for all else. */
function machineOf(file: string): number | undefined {
  const head = Buffer.alloc(20)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, head, 0, 20, 0)
  closeSync(descriptor)
  if (head.toString('latin1', 0, 4) === '\x7fELF') return head.readUInt16LE(18)
  const magic = head.readUInt32BE(0)
  const isMachO = [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe].includes(magic)
  return isMachO || head.toString('latin1', 0, 2) === 'MZ' ? -1 : undefined
}

function isThere(name: string, file: string, programs: string): boolean {
  if (name.startsWith('node:')) return true
  // A folder beside another package's file is found at run time.
  if (name.startsWith('.')) return !/\.\w+$/.test(name) || existsSync(join(dirname(file), name))
  const own = /^@harbinger\/([^/]+)\/(.+)$/.exec(name)
  if (own)
    return existsSync(join(programs, 'node_modules/@harbinger', own[1]!, 'src', `${own[2]}.ts`))
  const [scope, rest] = name.split('/')
  const folder = name.startsWith('@') ? `${scope}/${rest}` : scope!
  return [
    'node_modules',
    'hub/node_modules',
    'model-training/node_modules',
    'shared/node_modules',
  ].some((place) => existsSync(join(programs, place, folder, 'package.json')))
}
