import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { productNames, repository } from '../../installers/package/target.ts'
import { quickPackage } from './build.ts'
import { noDebianRoot, openDebianRoot } from './debian-root.ts'
import { serveFolder } from './serve-folder.ts'
import { openSigningKey } from './signing-key.ts'
import { lacks, reasonToSkip, run } from './system-tools.ts'

const reason = reasonToSkip([noDebianRoot(), lacks('apt-ftparchive', 'gpg', 'python3')])

describe.skipIf(reason !== undefined)('a repository for apt', () => {
  test(
    'is made by the script, and apt installs from it and upgrades, but not by another key',
    { timeout: 240_000 },
    async () => {
      const work = mkdtempSync(join(tmpdir(), 'harbinger-apt-'))
      const root = openDebianRoot()
      const [key, other] = [openSigningKey('packages@test'), openSigningKey('other@test')]
      const folder = join(work, 'apt')
      const served = await serveFolder(work)
      onTestFinished(async () => {
        await served.close()
        root.close()
        for (const one of [key, other]) {
          one.close()
          rmSync(one.home, { recursive: true })
        }
        rmSync(work, { recursive: true })
      })
      const bring = (version: string) => {
        mkdirSync(join(folder, 'pool'), { recursive: true })
        for (const product of productNames) {
          const deb = quickPackage({
            ...{ product, version, format: 'deb', folder: work },
            // Enough of it for apt.
            edit: (tree) =>
              rmSync(join(tree.folder, 'usr/lib/harbinger-hub/node_modules'), {
                ...{ recursive: true, force: true },
              }),
          })
          cpSync(deb, join(folder, 'pool', basename(deb)))
        }
        const script = join(repository, 'installers/repository/apt-repository.sh')
        run(script, [folder, key.name], { env: key.env })
      }
      // Nothing but this repository: what the packages need of Debian is there already.
      rmSync(join(root.folder, 'etc/apt/sources.list'))
      const [keys, sources] = ['etc/apt/keyrings/harbinger.asc', 'etc/apt/sources.list.d/h.list']
      mkdirSync(join(root.folder, 'etc/apt/keyrings'), { recursive: true })
      writeFileSync(
        join(root.folder, sources),
        `deb [signed-by=/${keys}] ${served.url}/apt stable main\n`,
      )

      bring('0.1.0')
      const stranger = join(root.folder, keys)
      run('gpg', ['--armor', '--yes', '--output', stranger, '--export', other.name], {
        env: other.env,
      })
      expect(root.try('apt-get', 'update').said).toContain('NO_PUBKEY')

      cpSync(join(folder, 'harbinger.asc'), join(root.folder, keys))
      root.run('apt-get', '-qq', 'update')
      root.run('apt-get', '-qq', '-y', 'install', ...productNames)
      const versions = () =>
        root.run('dpkg-query', '-W', '-f', '${Version} ${db:Status-Status}\\n', ...productNames)
      expect(versions()).toBe('0.1.0 installed\n0.1.0 installed\n')

      bring('0.2.0')
      root.run('apt-get', '-qq', 'update')
      root.run('apt-get', '-qq', '-y', 'upgrade')
      expect(versions()).toBe('0.2.0 installed\n0.2.0 installed\n')
    },
  )
})
