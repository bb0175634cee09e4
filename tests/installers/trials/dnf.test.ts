import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'

import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signRpms } from '../../../installers/package/sign.ts'
import { productNames, repository } from '../../../installers/package/target.ts'
import { quickPackage } from '../build.ts'
import { openDebianRoot } from '../debian-root.ts'
import { serveFolder } from '../serve-folder.ts'
import { openSigningKey } from '../signing-key.ts'
import { run } from '../system-tools.ts'
import { noTrials } from './booted-machine.ts'

const reason = noTrials('dnf', 'createrepo_c', 'rpmbuild', 'rpmsign', 'gpg', 'python3')

/** Stands for what a Red Hat system has: the root is a Debian, which has the programs but not the packages. */
const systemSpec = `Name: pretended-system
Version: 1
Release: 1
Summary: says that what is installed by other means is there
License: none
BuildArch: noarch
Provides: /bin/sh, glibc = 2.34, libstdc++ = 11, libgcc = 11, shadow-utils, systemd
%description
None.
%files
`

describe.skipIf(reason !== undefined)('a repository for dnf', () => {
  test(
    'is made by the script; dnf resolves, verifies, installs and upgrades from it, but not by another key',
    { timeout: 400_000 },
    async () => {
      const work = mkdtempSync(join(tmpdir(), 'harbinger-dnf-'))
      const root = openDebianRoot()
      const [key, other] = [openSigningKey('packages@test'), openSigningKey('other@test')]
      const packages = join(work, 'yum/x86_64')
      mkdirSync(packages, { recursive: true })
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
      const sign = (files: readonly string[]) => {
        process.env['GNUPGHOME'] = key.home
        signRpms(files, key.name)
        delete process.env['GNUPGHOME']
      }
      const bring = (version: string) => {
        const rpms = productNames.map((product) =>
          quickPackage({
            ...{ product, version, format: 'rpm', folder: work },
            edit: (tree) =>
              rmSync(join(tree.folder, 'usr/lib/harbinger-hub/node_modules'), {
                ...{ recursive: true, force: true },
              }),
          }),
        )
        sign(rpms)
        for (const rpm of rpms) cpSync(rpm, join(packages, basename(rpm)))
        const script = join(repository, 'installers/repository/yum-repository.sh')
        run(script, [join(work, 'yum'), key.name], { env: key.env })
      }
      const spec = join(work, 'system.spec')
      writeFileSync(spec, systemSpec)
      const defines = ['_topdir', '_dbpath'].flatMap((name) => ['-D', `${name} ${work}/${name}`])
      run('rpmbuild', ['-bb', ...defines, '-D', `_rpmdir ${packages}`, spec])
      sign([join(packages, 'noarch/pretended-system-1-1.noarch.rpm')])
      bring('0.1.0')

      const repos = join(work, 'repos')
      mkdirSync(repos)
      const knows = (publicKey: string) =>
        writeFileSync(
          join(repos, 'harbinger.repo'),
          `[harbinger]
name=Harbinger
baseurl=${served.url}/yum/$basearch
gpgkey=${publicKey}
gpgcheck=1
repo_gpgcheck=1
`,
        )
      const dnf = (...words: string[]): string =>
        run('dnf', [
          ...['-y', `--installroot=${root.folder}`, '--releasever=9', '--forcearch=x86_64'],
          ...[`--setopt=reposdir=${repos}`, `--setopt=cachedir=${work}/cache`],
          ...['--setopt=tsflags=nodocs', '--refresh', ...words],
        ])

      const stranger = join(work, 'stranger.asc')
      run('gpg', ['--armor', '--output', stranger, '--export', other.name], { env: other.env })
      knows(`file://${stranger}`)
      expect(() => dnf('install', ...productNames)).toThrow(/GPG|repomd/)

      knows(`${served.url}/yum/harbinger.asc`)
      // Its dependencies are not there by themselves: that they are asked for is part of what is tried.
      expect(() => dnf('install', '--exclude=pretended-system', ...productNames)).toThrow(
        /requires glibc >= 2.28, but none of the providers/,
      )
      expect(dnf('install', ...productNames)).toContain('systemctl enable --now harbinger-hub')
      expect(root.run('id', '-un', 'harbinger').trim()).toBe('harbinger')

      const edited = join(root.folder, 'etc/harbinger/agent.yaml')
      appendFileSync(edited, 'intervalSeconds: 30   # as agreed\n')
      const mine = readFileSync(edited)
      bring('0.2.0')
      expect(dnf('upgrade')).toContain('0.2.0')
      expect(readFileSync(edited).equals(mine)).toBe(true)
      expect(dnf('remove', ...productNames)).toContain('Removed')
      expect(root.try('test', '-e', '/usr/lib/harbinger-hub').status).not.toBe(0)
    },
  )
})
