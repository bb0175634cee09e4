import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { repository } from '../../../installers/package/target.ts'
import { buildPackages } from '../build.ts'
import { until } from '../unit.ts'
import { bootMachine, type BootedMachine, noTrials } from './booted-machine.ts'

const reason = noTrials('systemd-nspawn', 'nsenter')

describe.skipIf(reason !== undefined)('the role of Ansible', () => {
  const work = mkdtempSync(join(tmpdir(), 'harbinger-ansible-'))
  let machine: BootedMachine
  let agent: string

  beforeAll(async () => {
    const how = ['--arch', process.arch === 'arm64' ? 'arm64' : 'amd64', '--format', 'deb']
    const files = await buildPackages(...how, '--compression', '0', '--out', work)
    machine = await bootMachine()
    const [own, hub] = machine.bring(files.filter((file) => file.endsWith('.deb')))
    agent = own!
    expect(basename(agent)).toMatch(/^harbinger-agent_/)
    machine.run('apt-get', '-y', 'install', hub!)
    cpSync(join(repository, 'installers/ansible'), join(machine.folder, 'root/ansible'), {
      recursive: true,
    })
    // The machine manages itself: there is no other one on its network.
    writeFileSync(
      join(machine.folder, 'root/inventory'),
      '[watched]\nlocalhost ansible_connection=local ansible_become=false\n',
    )
  }, 400_000)
  afterAll(async () => {
    await machine?.close()
    rmSync(work, { recursive: true, force: true })
  })

  const play = (...options: string[]): string =>
    machine.run(
      ...['ansible-playbook', '-i', '/root/inventory', '/root/ansible/playbook.yml', ...options],
    )

  test('is without a mistake of syntax', () => {
    expect(play('--syntax-check')).toContain('playbook:')
  })

  test(
    'installs the agent and joins it; a second time it changes nothing; settings that differ restart it',
    { timeout: 300_000 },
    async () => {
      const line = await until('a hub to join', 60, async () => {
        const { status, said } = machine.try('harbinger', 'token', 'create')
        return status === 0 ? said.trim().split(' ') : undefined
      })
      const [, , hub, , token, , fingerprint] = line
      const values = {
        harbinger_agent_package: agent,
        ...{ harbinger_agent_hub: hub, harbinger_agent_token: token },
        harbinger_agent_ca_sha256: fingerprint,
      }
      const with_ = (more: object) => ['-e', JSON.stringify({ ...values, ...more })]

      const first = play(...with_({}))
      expect(first).toMatch(/failed=0/)
      expect(first).not.toContain(token)
      await until('the agent is connected', 60, async () =>
        machine.try('harbinger-agent', 'status').said.includes('(connected)') ? true : undefined,
      )
      expect(play(...with_({}))).toMatch(/changed=0 .*failed=0/)

      const settings = { harbinger_agent_settings: { intervalSeconds: 30 } }
      expect(play(...with_(settings))).toMatch(/changed=2 .*failed=0/)
      await until('the interval of the settings', 60, async () =>
        /interval +30 s/.test(machine.try('harbinger-agent', 'status').said) ? true : undefined,
      )
      expect(play(...with_(settings))).toMatch(/changed=0 .*failed=0/)
    },
  )
})
