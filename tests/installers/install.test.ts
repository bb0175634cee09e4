import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pinnedRequest } from '../../hub/src/models/pinned-request.ts'
import { productNames, products } from '../../installers/package/target.ts'
import type { Tree } from '../../installers/package/tree.ts'
import { buildPackages, quickPackage } from './build.ts'
import { type DebianRoot, noDebianRoot, openDebianRoot } from './debian-root.ts'
import { lacks, reasonToSkip, run } from './system-tools.ts'
import { startUnit, until } from './unit.ts'

const reason = reasonToSkip([noDebianRoot(), lacks('rpm', 'rpmbuild')])

const units = productNames.map((name) => `${name}.service`)

describe.skipIf(reason !== undefined)('installed packages', { timeout: 120_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'harbinger-install-'))
  const roots: DebianRoot[] = []
  const openRoot = (): DebianRoot => {
    const root = openDebianRoot()
    roots.push(root)
    return root
  }
  afterAll(() => {
    for (const root of roots) root.close()
    rmSync(work, { recursive: true, force: true })
  })

  /** Puts packages into a root; answers their paths there. */
  const bring = (root: DebianRoot, files: readonly string[], folder = 'root') =>
    files.map((file) => {
      mkdirSync(join(root.folder, folder), { recursive: true })
      cpSync(file, join(root.folder, folder, basename(file)))
      return `/${folder}/${basename(file)}`
    })

  describe('from one deb to the other', () => {
    const versions = ['0.1.0', '0.2.0'] as const
    const debs: { [version: string]: string[] } = {}
    let root: DebianRoot
    let before: string[]

    beforeAll(() => {
      for (const version of versions) {
        debs[version] = productNames.map((product) =>
          quickPackage({
            ...{ product, version, format: 'deb', folder: work },
            // The later version has another setting.
            edit(tree) {
              leaveOutLibraries(tree)
              if (version === '0.1.0') return
              const template = `/usr/share/${product}/${basename(products[product].configFile)}`
              const text = readFileSync(join(tree.folder, template), 'utf8')
              tree.write(template, `${text}\n#anotherSetting: 1\n`)
            },
          }),
        )
      }
      root = openRoot()
      recordSystemctl(root)
      before = filesOf(root)
    }, 240_000)

    test('makes a user without rights, a folder of its own and an enabled unit', () => {
      root.run('dpkg', '-i', ...bring(root, debs['0.1.0']!, 'root/0.1.0'))
      for (const { user, stateFolder, configFile, configMode } of Object.values(products)) {
        const [, , uid, , , home, shell] = root.run('getent', 'passwd', user).trim().split(':')
        expect(Number(uid)).toBeGreaterThan(0)
        expect(Number(uid)).toBeLessThan(1000)
        expect({ home, shell }).toEqual({ home: stateFolder, shell: '/usr/sbin/nologin' })
        expect(root.run('stat', '-c', '%U:%G %a', stateFolder).trim()).toBe(`${user}:${user} 750`)
        const owner = configMode === 0o640 ? `root:${user} 640` : `root:${user} 644`
        expect(root.run('stat', '-c', '%U:%G %a', configFile).trim()).toBe(owner)
      }
      expect(systemctlCalls(root)).toEqual(
        expect.arrayContaining(units.flatMap((unit) => [`preset ${unit}`, `start ${unit}`])),
      )
    })

    test('an upgrade and a downgrade keep settings that were edited, byte for byte, and ask nothing', () => {
      const edited = join(root.folder, 'etc/harbinger/agent.yaml')
      appendFileSync(edited, 'intervalSeconds: 30   # as agreed\n')
      const mine = readFileSync(edited)
      chmodSync(edited, 0o600)
      root.run('dpkg', '-i', ...bring(root, debs['0.2.0']!, 'root/0.2.0'))
      expect(readFileSync(edited).equals(mine)).toBe(true)
      // What nobody touched is that of the new version.
      const untouched = join(root.folder, 'etc/harbinger/hub.yaml')
      expect(readFileSync(untouched, 'utf8')).toContain('anotherSetting')
      expect(systemctlCalls(root)).toEqual(expect.arrayContaining(units.map((u) => `restart ${u}`)))
      root.run('dpkg', '-i', ...debs['0.1.0']!.map((file) => `/root/0.1.0/${basename(file)}`))
      expect(readFileSync(edited).equals(mine)).toBe(true)
      expect(readFileSync(untouched, 'utf8')).not.toContain('anotherSetting')
      expect(readdirSync(join(root.folder, 'etc/harbinger')).sort()).toEqual([
        'agent.yaml',
        'hub.yaml',
      ])
    })

    test('remove stops the services and keeps settings and data', () => {
      const data = join(root.folder, 'var/lib/harbinger/hub/harbinger.db')
      writeFileSync(data, 'data')
      root.run('dpkg', '--remove', ...productNames)
      expect(systemctlCalls(root)).toEqual(expect.arrayContaining(units.map((u) => `stop ${u}`)))
      expect(existsSync(data)).toBe(true)
      expect(existsSync(join(root.folder, 'etc/harbinger/agent.yaml'))).toBe(true)
    })

    test('purge leaves no file, user or unit', () => {
      root.run('dpkg', '--purge', ...productNames)
      rmSync(join(root.folder, 'root/0.1.0'), { recursive: true })
      rmSync(join(root.folder, 'root/0.2.0'), { recursive: true })
      expect(filesOf(root).filter((path) => !before.includes(path))).toEqual([])
      for (const { user } of Object.values(products)) {
        expect(root.try('getent', 'passwd', user).status).not.toBe(0)
        expect(root.try('getent', 'group', user).status).not.toBe(0)
      }
    })
  })

  test(
    'rpm: unpacked, its scripts run; settings are kept; erased, it is stopped',
    { timeout: 240_000 },
    () => {
      const root = openRoot()
      recordSystemctl(root)
      const rpm = (...words: string[]) =>
        // The root is a Debian: its own packages are not in the database of rpm.
        run('rpm', ['--root', root.folder, '--dbpath', '/var/lib/rpm', '--nodeps', ...words])
      const versions = ['0.1.0', '0.2.0'].map((version) =>
        productNames.map((product) =>
          quickPackage({ product, version, format: 'rpm', folder: work, edit: leaveOutLibraries }),
        ),
      )
      rpm('-i', ...versions[0]!)
      for (const { user, stateFolder, configFile } of Object.values(products)) {
        expect(root.run('stat', '-c', '%U:%G %a', stateFolder).trim()).toBe(`${user}:${user} 750`)
        expect(existsSync(join(root.folder, configFile))).toBe(true)
      }
      expect(root.run('stat', '-c', '%U:%G %a', '/etc/harbinger/hub.yaml').trim()).toBe(
        'root:harbinger 640',
      )
      expect(systemctlCalls(root)).toEqual(expect.arrayContaining(units.map((u) => `preset ${u}`)))

      const edited = join(root.folder, 'etc/harbinger/agent.yaml')
      appendFileSync(edited, 'intervalSeconds: 30\n')
      const mine = readFileSync(edited)
      rpm('-U', ...versions[1]!)
      expect(readFileSync(edited).equals(mine)).toBe(true)
      expect(systemctlCalls(root)).toEqual(
        expect.arrayContaining(units.map((u) => `try-restart ${u}`)),
      )
      rpm('-U', '--oldpackage', ...versions[0]!)
      expect(readFileSync(edited).equals(mine)).toBe(true)

      rpm('-e', ...productNames)
      expect(systemctlCalls(root)).toEqual(expect.arrayContaining(units.map((u) => `disable ${u}`)))
      for (const name of productNames)
        expect(existsSync(join(root.folder, 'usr/lib', name))).toBe(false)
      expect(existsSync(join(root.folder, 'usr/lib/systemd/system/harbinger-hub.service'))).toBe(
        false,
      )
    },
  )

  test(
    'hub and agent, installed as they are and joined by a token, show this machine within a minute',
    { timeout: 400_000 },
    async () => {
      const how = ['--arch', process.arch === 'arm64' ? 'arm64' : 'amd64', '--format', 'deb']
      const files = await buildPackages(...how, '--compression', '0', '--out', join(work, 'real'))
      const debs = files.filter((file) => file.endsWith('.deb'))
      const root = openRoot()
      recordSystemctl(root)
      // As the installer of Debian does it: a machine knows itself by its name.
      appendFileSync(join(root.folder, 'etc/hosts'), `127.0.1.1 ${hostname()}\n`)
      const began = performance.now()
      const said = root.run('dpkg', '-i', ...bring(root, debs))
      const [, secret] = /with this secret: +([a-z0-9-]{20,})/.exec(said) ?? []
      expect(said).toContain(`https://${hostname()}:8443/set-up`)
      expect(said).toContain('harbinger-agent join')
      expect(systemctlCalls(root)).toEqual(expect.arrayContaining(units.map((u) => `start ${u}`)))

      // An agent that has joined no hub says so once and ends; its unit takes that for no failure.
      const early = startUnit(root, 'harbinger-agent')
      expect(await early.ended()).toBe(78)
      expect(early.said().trim().split('\n')).toEqual([expect.stringMatching('has joined no hub')])

      // The ports alone are not those of the installation: another program may have them here.
      const [http, mqtt] = [await freePort(), await freePort()]
      const ports = { HARBINGER_HTTP_PORT: String(http), HARBINGER_MQTT_PORT: String(mqtt) }
      const hub = startUnit(root, 'harbinger-hub', ports)
      let agent: ReturnType<typeof startUnit> | undefined
      try {
        const keys = '/var/lib/harbinger/hub/tls'
        const ca = await until('the authority of the hub', 60, async () =>
          readFileSync(join(root.folder, keys, 'ca.pem'), 'utf8'),
        )
        const ask = async <Answer>(path: string, { token = '', body = '' } = {}) => {
          const answer = await pinnedRequest(`https://127.0.0.1:${http}/api/v1${path}`, {
            ...{ certificate: ca, timeoutMs: 10_000 },
            ...(token && { headers: { authorization: `Bearer ${token}` } }),
            ...(body && { body }),
          })
          return { status: answer.status, body: (await answer.json()) as Answer }
        }
        await until('the hub', 60, () => ask('/health'))
        expect(root.run('stat', '-c', '%U %a', `${keys}/ca-key.pem`).trim()).toBe('harbinger 600')
        expect((await ask('/servers')).status).toBe(401)
        const admin = { secret, name: 'ada', password: 'a long sentence nobody says' }
        expect((await ask('/set-up', { body: JSON.stringify(admin) })).status).toBe(200)

        const line = root.run('harbinger', 'token', 'create').trim()
        expect(line).toMatch(
          new RegExp(
            `^harbinger-agent join https://${hostname()}:${http} --token \\S+ --ca-sha256 [0-9a-f]{64}$`,
          ),
        )
        root.run(...line.split(' '))
        const unit = 'harbinger-agent.service'
        expect(systemctlCalls(root).slice(-2)).toEqual([`enable ${unit}`, `restart ${unit}`])
        agent = startUnit(root, 'harbinger-agent')

        type Answer = {
          servers: { simulated: boolean; metrics: { mem_used_pct?: { now: number } } }[]
        }
        const made = root.run('harbinger', 'api-token', 'create', 'test', '--scope', 'read')
        const [token] = /harbinger_api_\S+/.exec(made)!
        const { servers } = await until('a sample in the hub', 60, async () => {
          const { body } = await ask<Answer>('/servers', { token })
          // It is known by its status before its first sample.
          return body.servers[0]?.metrics.mem_used_pct ? body : undefined
        })
        const seconds = (performance.now() - began) / 1000
        process.stderr.write(`installed, joined and seen in ${seconds.toFixed(0)} s\n`)
        expect(seconds).toBeLessThan(60)
        expect(servers).toHaveLength(1)
        expect(servers[0]!.simulated).toBe(false)
        expect(servers[0]!.metrics.mem_used_pct!.now).toBeGreaterThan(0)

        // The doctors are as installed, too, and look at what really runs: nothing is broken, which would be exit 1.
        const ofAgent = root.run('harbinger-agent', 'doctor')
        for (const [check, found] of [
          ['service', 'running, pid \\d+, as harbinger-agent'],
          ['certificate', `of ${hostname()}, until`],
          ['enrolment', `the hub lets ${hostname()} in`],
        ]) {
          expect(ofAgent).toMatch(new RegExp(`^ok +${check} +${found}`, 'm'))
        }
        const ofHub = root.run('harbinger', 'doctor')
        for (const [check, found] of [
          ['service', 'running, pid \\d+, as harbinger, https'],
          ['database', 'servers: 1'],
          ['keys', "those in .* are for the hub's user alone"],
        ]) {
          expect(ofHub).toMatch(new RegExp(`^ok +${check} +${found}`, 'm'))
        }
        expect(ofHub).toContain('the settings say 0.0.0.0:8443, the hub that runs listens at')
      } catch (error) {
        throw new Error(
          `${(error as Error).message}\nhub: ${hub.said()}\nagent: ${agent?.said() ?? 'not started'}`,
          { cause: error },
        )
      } finally {
        await agent?.stop()
        await hub.stop()
      }
      expect(hub.said()).toContain('"msg":"stopped"')
    },
  )
})

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

/** Scripts and settings are what is tried here; thousands of files beside them would only take their time. */
const leaveOutLibraries = ({ folder }: Tree) =>
  rmSync(join(folder, 'usr/lib/harbinger-hub/node_modules'), { recursive: true, force: true })

/** A systemctl that notes what it is asked to do, and the folder by which scripts know that systemd runs. */
function recordSystemctl(root: DebianRoot): void {
  mkdirSync(join(root.folder, 'run/systemd/system'), { recursive: true })
  writeFileSync(
    join(root.folder, 'usr/bin/systemctl'),
    `#!/bin/sh
echo "$*" >>/run/systemctl-calls
for word; do unit=$word; done
case " $* " in
  *' is-enabled '*) echo enabled ;;
  *' is-active '*) test -e "/run/active-$unit" ;;
  *' start '* | *' restart '*) touch "/run/active-$unit" ;;
  *' stop '*) rm -f "/run/active-$unit" ;;
esac
`,
  )
  chmodSync(join(root.folder, 'usr/bin/systemctl'), 0o755)
  writeFileSync(join(root.folder, 'run/systemctl-calls'), '')
}

function systemctlCalls(root: DebianRoot): string[] {
  const path = join(root.folder, 'run/systemctl-calls')
  const calls = readFileSync(path, 'utf8').trim().split('\n')
  // One call may name several.
  return calls.flatMap((call) => {
    const words = call.split(' ').filter((word) => !word.startsWith('-'))
    return words.slice(1).map((unit) => `${words[0]} ${unit}`)
  })
}

/** Everything but what dpkg and the account tools write down of any package. */
const bookkeeping =
  /^\/(proc|run|tmp)(\/|$)|^\/var\/(lib\/dpkg|log|cache)\/|^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/

function filesOf(root: DebianRoot): string[] {
  const found: string[] = []
  const visit = (folder: string): void => {
    for (const name of readdirSync(join(root.folder, folder))) {
      const path = `${folder}/${name}`
      if (bookkeeping.test(path)) continue
      found.push(path)
      const stat = lstatSync(join(root.folder, path))
      if (stat.isDirectory()) visit(path)
    }
  }
  visit('')
  expect(statSync(root.folder).isDirectory()).toBe(true)
  return found.sort()
}
