import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { repository } from '../../../installers/package/target.ts'
import { buildPackages } from '../build.ts'
import { bareDebian } from '../debian-root.ts'
import { run } from '../system-tools.ts'
import { until } from '../unit.ts'
import { noTrials } from './booted-machine.ts'

const reason = noTrials('buildah')

describe.skipIf(reason !== undefined)('the container of the hub', () => {
  test(
    'is built on a Debian, holds no secret, and its hub is healthy as the file says',
    { timeout: 600_000 },
    async () => {
      const work = mkdtempSync(join(tmpdir(), 'harbinger-container-'))
      const store = ['--root', join(work, 'store'), '--runroot', join(work, 'run')]
      const inStore = (...words: string[]) => [...store, '--storage-driver', 'vfs', ...words]
      const buildah = (...words: string[]): string => run('buildah', inStore(...words)).trim()
      onTestFinished(() => {
        spawnSync('buildah', inStore('rm', '--all'))
        rmSync(work, { recursive: true, force: true })
      })
      const context = join(work, 'packages')
      mkdirSync(context)
      const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
      const how = ['--product', 'hub', '--arch', arch, '--format', 'deb', '--compression', '0']
      await buildPackages(...how, '--out', context)

      // No registry is asked: the base is what debootstrap makes.
      const base = buildah('from', 'scratch')
      run('cp', ['-a', `${bareDebian()}/.`, buildah('mount', base)])
      buildah('commit', '-q', '--rm', base, 'localhost/debian:12')
      const file = join(repository, 'installers/container/Containerfile')
      const asked = ['--isolation', 'chroot', '--network', 'host', '--format', 'docker']
      buildah(
        ...['bud', ...asked, '--pull-never', '--build-arg', 'BASE=localhost/debian:12'],
        ...['--build-arg', `TARGETARCH=${arch}`, '-f', file, '-t', 'harbinger-hub', context],
      )
      const image = JSON.parse(buildah('inspect', '--type', 'image', 'harbinger-hub')) as {
        Docker: {
          config: {
            User: string
            Entrypoint: string[]
            Cmd: string[]
            Healthcheck: { Test: string[] }
          }
        }
      }
      const { User, Entrypoint, Cmd, Healthcheck } = image.Docker.config
      expect(User).toBe('harbinger')

      const container = buildah('from', '--pull-never', 'localhost/harbinger-hub')
      const folder = buildah('mount', container)
      const state = join(folder, 'var/lib/harbinger/hub')
      // A secret in an image would be that of all its copies.
      expect(run('ls', ['-A', state])).toBe('')
      const data = join(work, 'data')
      mkdirSync(data)
      run('chown', [`--reference=${state}`, data])
      const inside = (...words: string[]) =>
        inStore(
          ...['run', '--isolation', 'chroot', '--network', 'host'],
          ...['-v', `${data}:/var/lib/harbinger/hub`],
          ...['-e', 'HARBINGER_TLS_NAMES=localhost', '-e', 'HARBINGER_HTTP_PORT=18443'],
          ...['-e', 'HARBINGER_MQTT_PORT=18883', container, '--', ...words],
        )
      const hub = spawn('buildah', inside(...Entrypoint, ...Cmd), { stdio: 'ignore' })
      const ended = once(hub, 'exit')
      try {
        const { pid } = await until('the hub', 90, async () => {
          return JSON.parse(readFileSync(join(data, 'hub.json'), 'utf8')) as { pid: number }
        })
        const [, ...check] = Healthcheck.Test
        expect(spawnSync('buildah', inside(...check)).status).toBe(0)
        process.kill(pid, 'SIGTERM')
        await ended
        expect(spawnSync('buildah', inside(...check)).status).toBe(1)
      } finally {
        hub.kill('SIGKILL')
      }
    },
  )
})
