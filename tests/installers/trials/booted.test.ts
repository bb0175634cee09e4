import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { productNames } from '../../../installers/package/target.ts'
import { buildPackages } from '../build.ts'
import { until } from '../unit.ts'
import { bootMachine, type BootedMachine, noTrials } from './booted-machine.ts'

const reason = noTrials('systemd-nspawn', 'nsenter')

/** Asks the hub of the machine, from inside: its network is its own. */
const asking = `
const { hub, path, token, body } = JSON.parse(process.argv[1])
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
const answer = await fetch(hub + '/api/v1' + path, {
  headers: { ...(token && { authorization: 'Bearer ' + token }), ...(body && { 'content-type': 'application/json' }) },
  ...(body && { method: 'POST', body: JSON.stringify(body) }),
})
console.log(JSON.stringify({ status: answer.status, body: await answer.json() }))`

describe.skipIf(reason !== undefined)('on a machine that runs under systemd', () => {
  const work = mkdtempSync(join(tmpdir(), 'harbinger-booted-'))
  let machine: BootedMachine
  let debs: string[]

  beforeAll(async () => {
    const how = ['--arch', process.arch === 'arm64' ? 'arm64' : 'amd64', '--format', 'deb']
    const files = await buildPackages(...how, '--compression', '0', '--out', work)
    machine = await bootMachine()
    debs = machine.bring(files.filter((file) => file.endsWith('.deb')))
  }, 400_000)
  afterAll(async () => {
    await machine?.close()
    rmSync(work, { recursive: true, force: true })
  })

  const show = (unit: string, property: string): string =>
    machine.run('systemctl', 'show', '-P', property, unit).trim()
  const journal = (unit: string): string[] =>
    machine
      .run('journalctl', '--no-pager', '-o', 'cat', '-u', unit)
      .split('\n')
      .filter((line) => line.startsWith('{'))
  const ask = async <Answer>(path: string, { token = '', body = {} } = {}) => {
    const asked = {
      ...{ hub: 'https://127.0.0.1:8443', path, token },
      ...(Object.keys(body).length > 0 && { body }),
    }
    const said = machine.run(
      ...['/usr/lib/harbinger-hub/bin/node', '--no-warnings', '--input-type=module', '-e', asking],
      JSON.stringify(asked),
    )
    return JSON.parse(said) as { status: number; body: Answer }
  }

  test(
    'both are installed as they are, an admin is made, a line joins the server, its samples are seen',
    { timeout: 240_000 },
    async () => {
      const began = performance.now()
      const said = machine.run('apt-get', '-y', 'install', ...debs)
      const [, secret] = /with this secret: +([a-z0-9-]{20,})/.exec(said) ?? []
      expect(said).toContain(`https://${machine.name}:8443/set-up`)

      // The agent said what it waits for and ended; nothing starts it again.
      await until('the agent ends', 20, async () =>
        show('harbinger-agent', 'ActiveState') === 'inactive' ? true : undefined,
      )
      expect(show('harbinger-agent', 'Result')).toBe('success')
      expect(show('harbinger-agent', 'NRestarts')).toBe('0')
      expect(journal('harbinger-agent')).toEqual([expect.stringMatching('has joined no hub yet')])

      await until('the hub', 60, () => ask('/health'))
      expect(journal('harbinger-hub').join()).toContain(secret)
      const admin = { secret, name: 'ada', password: 'a long sentence nobody says' }
      expect((await ask('/set-up', { body: admin })).status).toBe(200)
      const joining = performance.now()
      const line = machine.run('harbinger', 'token', 'create').trim()
      expect(machine.run(...line.split(' '))).toContain('The agent runs')

      type Servers = { servers: { metrics: { mem_used_pct?: object } }[] }
      const [token] = /harbinger_api_\S+/.exec(
        machine.run('harbinger', 'api-token', 'create', 'x'),
      )!
      await until('a sample', 60, async () => {
        const { body } = await ask<Servers>('/servers', { token })
        return body.servers[0]?.metrics.mem_used_pct
      })
      const seconds = (from: number) => ((performance.now() - from) / 1000).toFixed(0)
      process.stderr.write(
        `installed, joined and seen in ${seconds(began)} s, joined and seen in ${seconds(joining)} s\n`,
      )
      expect(performance.now() - began).toBeLessThan(60_000)
    },
  )

  test('the services run as the units say: shut in, without a capability, and what they need is open', () => {
    for (const unit of productNames) {
      const status = machine.run('cat', `/proc/${show(unit, 'MainPID')}/status`)
      expect(status).toMatch(/CapEff:\t0+\n/)
      expect(status).toMatch(/NoNewPrivs:\t1\n/)
      expect(status).toMatch(/Seccomp:\t2\n/)
      expect(show(unit, 'NRestarts')).toBe('0')
      const warnings = journal(unit).filter((text) => JSON.parse(text).level >= 40)
      expect(warnings).toEqual([
        expect.stringMatching(unit === 'harbinger-hub' ? 'has no users' : 'has joined no hub yet'),
      ])
    }
    expect(machine.run('harbinger', 'doctor')).not.toContain('WRONG')
    expect(machine.run('harbinger-agent', 'doctor')).not.toContain('WRONG')
    expect(machine.run('harbinger-agent', 'status')).toContain('(connected)')
  })

  test(
    'whoever kills a service finds it again, and its server too',
    { timeout: 90_000 },
    async () => {
      machine.run('systemctl', 'kill', '--signal=KILL', 'harbinger-hub', 'harbinger-agent')
      for (const unit of productNames) {
        await until(`${unit} again`, 40, async () =>
          show(unit, 'NRestarts') === '1' && show(unit, 'ActiveState') === 'active'
            ? true
            : undefined,
        )
      }
      await until('the agent is back', 60, async () =>
        machine.try('harbinger-agent', 'status').said.includes('(connected)') ? true : undefined,
      )
    },
  )

  test('purged, nothing of them runs or is left', { timeout: 60_000 }, () => {
    machine.run('apt-get', '-y', 'purge', ...productNames)
    for (const unit of productNames) expect(show(unit, 'LoadState')).toBe('not-found')
    expect(machine.try('sh', '-c', 'ls -d /etc/harbinger /var/lib/harbinger').status).not.toBe(0)
    expect(machine.try('pgrep', '-u', 'harbinger,harbinger-agent').status).not.toBe(0)
  })
})
