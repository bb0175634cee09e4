import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { diagnose } from '../../agent/src/doctor/diagnose.ts'
import { hidepidOf } from '../../agent/src/doctor/examine-proc.ts'
import { openSpool } from '../../agent/src/publish/spool.ts'
import { silentLog } from '../../agent/src/log.ts'
import { freePort } from '../pipeline/processes.ts'
import {
  authorityAt,
  dayMs,
  joined,
  named,
  newFolder,
  openAgentPort,
  openEnds,
  openSecureWeb,
  openSilence,
  openWeb,
  saying,
} from './hubs.ts'

const ends = openEnds()
afterEach(ends.close)

let folder: string
beforeEach(() => void (folder = newFolder(ends)))

const clockAt = (aheadMs = 0) => ({
  now: () => Date.now() + aheadMs,
  monotonicMs: () => performance.now(),
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
})

type Env = { readonly [name: string]: string }

/** The doctor with these settings and no others. */
async function doctor(
  env: Env,
  {
    aheadMs = 0,
    hub = undefined as string | undefined,
    caSha256 = undefined as string | undefined,
    lines = '',
  } = {},
) {
  const file = join(folder, 'agent.yaml')
  writeFileSync(file, lines)
  const all = { HARBINGER_STATE_DIRECTORY: folder, HARBINGER_SERVER: 'web1', ...env }
  const findings = await diagnose({ file, env: all, hub, caSha256 }, clockAt(aheadMs))
  for (const { ok, level, found, advice } of findings) {
    expect(found).not.toBe('')
    expect(found + advice).not.toContain('PRIVATE KEY')
    if (level === 'ok') expect(advice).toBe('')
    if (level === 'failed' || level === 'warning') expect(advice).not.toBe('')
    expect(ok).toBe({ ok: true, warning: true, failed: false, unknown: null }[level])
  }
  return findings
}

describe('settings', () => {
  test('all mistakes are named at once, the rest is not called well', async () => {
    const findings = await doctor(
      {},
      { lines: 'hub: https://hub.example.com:8443\nintervalSeconds: 0\nsprool: 1\n' },
    )
    const { level, found, advice } = named(findings, 'settings')
    expect(level).toBe('failed')
    expect(found).toMatch(
      /sprool: no such setting[\s\S]*hub: expected[\s\S]*intervalSeconds: expected/,
    )
    expect(advice).toContain('mqtts://hub.example.com:8883')
    expect(findings.slice(1).every(({ ok }) => ok === null)).toBe(true)
  })

  test('a name that any server may have is pointed out', async () => {
    const findings = await doctor({
      HARBINGER_SERVER: 'localhost',
      HARBINGER_HUB: 'mqtt://127.0.0.1:1',
    })
    expect(named(findings, 'server name')).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining('hostnamectl'),
    })
  })
})

describe('the way to the hub', () => {
  test('a name that does not exist', async () => {
    const findings = await doctor({ HARBINGER_HUB: 'mqtts://hub.invalid:8883' })
    expect(named(findings, 'hub name')).toMatchObject({
      level: 'failed',
      // Without any DNS server the system cannot know that.
      found: expect.stringMatching(/there is no hub\.invalid|no DNS server answers/),
      advice: expect.stringContaining('getent hosts hub.invalid'),
    })
    expect(named(findings, 'hub port')).toMatchObject({
      ok: null,
      found: expect.stringContaining('not checked because'),
    })
  })

  test('a port that nothing listens on', async () => {
    const port = await freePort()
    const findings = await doctor({ HARBINGER_HUB: `mqtt://127.0.0.1:${port}` })
    expect(named(findings, 'hub port')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('refuses the connection'),
      advice: expect.stringContaining('harbinger token create'),
    })
    expect(named(findings, 'broker').ok).toBe(null)
  })

  test('the port of the fleet view, given for that of the broker', async () => {
    const port = await openWeb(ends, saying({ status: 'ok' }))
    const findings = await doctor({ HARBINGER_HUB: `mqtt://127.0.0.1:${port}` })
    expect(named(findings, 'broker')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('a web server answers'),
    })
  })

  test('a port of TLS, spoken to in the clear', async () => {
    const port = await openAgentPort(ends, { by: await authorityAt(Date.now()) })
    const findings = await doctor({ HARBINGER_HUB: `mqtt://127.0.0.1:${port}` })
    expect(named(findings, 'broker')).toMatchObject({
      level: 'failed',
      advice: expect.stringContaining(`mqtts://127.0.0.1:${port}`),
    })
  })

  test('a listener that never says a word', async () => {
    const port = await openSilence(ends)
    const findings = await doctor({ HARBINGER_HUB: `mqtts://127.0.0.1:${port}` })
    expect(named(findings, 'hub certificate')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('says nothing'),
    })
  })
})

describe('certificates', () => {
  const hubs: [string, () => Promise<{ port: number; env: Env }>, string, RegExp, RegExp][] = [
    [
      'of the hub has ended',
      async () => {
        const by = await authorityAt(Date.now() - 100 * dayMs)
        const port = await openAgentPort(ends, { by, days: 90 })
        return { port, env: await joined(folder, { by, days: 200 }) }
      },
      'hub certificate',
      /ended at .* UTC, by this server's clock 10 days ago/,
      /harbinger doctor says why it was not renewed/,
    ],
    [
      'of the hub is not valid yet',
      async () => {
        const by = await authorityAt(Date.now() - dayMs)
        const later = await authorityAt(Date.now() + 2 * dayMs)
        const port = await openAgentPort(ends, { by: later, agents: by })
        return { port, env: await joined(folder, { by, trusts: later }) }
      },
      'hub certificate',
      /is valid from .* UTC on, and this server's clock says/,
      /compare both clocks \(date -u/,
    ],
    [
      'of the hub comes from another authority',
      async () => {
        const by = await authorityAt(Date.now())
        const port = await openAgentPort(ends, { by: await authorityAt(Date.now()), agents: by })
        return { port, env: await joined(folder, { by }) }
      },
      'hub certificate',
      /is not the hub this server joined: .*SHA-256.*[0-9a-f]{64}.*this agent trusts [0-9a-f]{64}/,
      /harbinger token create --allow-rejoin.*another machine answers/,
    ],
    [
      'of the hub is for other names',
      async () => {
        const by = await authorityAt(Date.now())
        const port = await openAgentPort(ends, { by, names: ['hub.example.com', '192.0.2.7'] })
        return { port, env: await joined(folder, { by }) }
      },
      'hub certificate',
      /is for hub\.example\.com, 192\.0\.2\.7, not for localhost/,
      /tls\.names in \/etc\/harbinger\/hub\.yaml/,
    ],
    [
      'are not spoken of: the port is in the clear',
      async () => ({
        port: await openWeb(ends, saying({})),
        env: await joined(folder, { by: await authorityAt(Date.now()) }),
      }),
      'hub certificate',
      /does not speak TLS/,
      /harbinger hub --print-config/,
    ],
    [
      'are those of the fleet view',
      async () => {
        const by = await authorityAt(Date.now())
        return { port: await openSecureWeb(ends, { by }), env: await joined(folder, { by }) }
      },
      'hub certificate',
      /is the fleet view \(it speaks HTTPS\)/,
      /mqtts:\/\/localhost:8883/,
    ],
    [
      'of the agent is of another hub',
      async () => {
        const by = await authorityAt(Date.now())
        const port = await openAgentPort(ends, { by })
        return {
          port,
          env: await joined(folder, { by: await authorityAt(Date.now()), trusts: by }),
        }
      },
      'handshake',
      /does not take the certificate of this agent/,
      /harbinger token create --allow-rejoin/,
    ],
    [
      'of the agent are wanted, and there is none',
      async () => {
        const by = await authorityAt(Date.now())
        const { HARBINGER_CA_FILE = '' } = await joined(folder, { by })
        return { port: await openAgentPort(ends, { by }), env: { HARBINGER_CA_FILE } }
      },
      'handshake',
      /asks for a certificate, and this agent has none/,
      /harbinger token create prints a line/,
    ],
  ]

  test.each(hubs)('%s', async (_what, open, check, found, advice) => {
    const { port, env } = await open()
    const findings = await doctor({ HARBINGER_HUB: `mqtts://localhost:${port}`, ...env })
    expect(named(findings, check)).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(found),
      advice: expect.stringMatching(advice),
    })
  })

  test('that hold are called well, by the same steps', async () => {
    const by = await authorityAt(Date.now())
    const port = await openAgentPort(ends, { by })
    const findings = await doctor({
      HARBINGER_HUB: `mqtts://localhost:${port}`,
      ...(await joined(folder, { by })),
    })
    for (const check of ['certificate', 'authority', 'hub name', 'hub port', 'hub certificate']) {
      expect(named(findings, check)).toMatchObject({ level: 'ok' })
    }
    expect(findings.map(({ check }) => check)).not.toContain('handshake')
  })

  const own: [string, () => Promise<Env>, RegExp, RegExp][] = [
    [
      'has ended',
      async () => joined(folder, { by: await authorityAt(Date.now() - 100 * dayMs) }),
      /it ended at/,
      /join again: .*--allow-rejoin/,
    ],
    [
      'is not valid yet',
      async () => joined(folder, { by: await authorityAt(Date.now() + 2 * dayMs) }),
      /is valid from/,
      /set the clock/,
    ],
    [
      'can be read by others',
      async () => joined(folder, { by: await authorityAt(Date.now()), mode: 0o644 }),
      /others may read it \(mode 644\)/,
      /chmod 600 /,
    ],
    [
      'is another server’s',
      async () => ({
        ...(await joined(folder, { by: await authorityAt(Date.now()), server: 'web9' })),
        HARBINGER_SERVER: 'web1',
      }),
      /certificate of web9, this server calls itself web1/,
      /copied from web9/,
    ],
    [
      'is not there',
      async () => ({ HARBINGER_IDENTITY_FILE: join(folder, 'gone.pem') }),
      /is not there/,
      /join again/,
    ],
    [
      'has the key of another',
      async () => {
        const by = await authorityAt(Date.now())
        const env = await joined(folder, { by })
        const { newKey, signingRequest } = await import('../../agent/src/join/signing-request.ts')
        const request = signingRequest(newKey(), 'web1')
        const certificate = await by.signAgent(
          { server: 'web1', enrolment: 'ab'.repeat(16), request },
          90,
        )
        writeFileSync(env.HARBINGER_IDENTITY_FILE, newKey() + certificate, { mode: 0o600 })
        return env
      },
      /the key is not that of the certificate/,
      /join again/,
    ],
  ]

  test.each(own)('of the agent %s', async (_what, prepare, found, advice) => {
    const port = await freePort()
    const findings = await doctor({
      HARBINGER_HUB: `mqtts://localhost:${port}`,
      ...(await prepare()),
    })
    expect(named(findings, 'certificate')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(found),
      advice: expect.stringMatching(advice),
    })
  })

  test('of the agent is overdue for renewal: a warning, while it still works', async () => {
    const env = await joined(folder, { by: await authorityAt(Date.now() - 80 * dayMs) })
    const findings = await doctor({ HARBINGER_HUB: 'mqtts://127.0.0.1:1', ...env })
    expect(named(findings, 'certificate')).toMatchObject({
      level: 'warning',
      ok: true,
      found: expect.stringContaining('should have been renewed'),
    })
  })

  test('of a hub to be joined are held against the fingerprint of the line', async () => {
    const by = await authorityAt(Date.now())
    const port = await openSecureWeb(ends, { by })
    const hub = `https://localhost:${port}`
    const right = await doctor({}, { hub, caSha256: by.sha256 })
    expect(named(right, 'hub web certificate')).toMatchObject({ level: 'ok' })
    const wrong = await doctor({}, { hub, caSha256: 'ab'.repeat(32) })
    expect(named(wrong, 'fingerprint')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining(by.sha256),
      advice: expect.stringContaining('harbinger token create'),
    })
  })
})

describe('clock and contract', () => {
  const minute = 60_000
  test.each([
    [10 * minute, 'failed', /10 minutes ahead of the hub's; .*future aside/],
    [-10 * minute, 'failed', /10 minutes behind the hub's/],
    [minute, 'warning', /60 seconds ahead/],
    [0, 'ok', /agree/],
  ])('%i ms ahead is %s', async (aheadMs, level, found) => {
    const port = await openWeb(ends, saying({ status: 'ok', contractVersion: '1.0.0' }))
    const findings = await doctor({}, { aheadMs, hub: `http://127.0.0.1:${port}` })
    expect(named(findings, 'clock')).toMatchObject({ level, found: expect.stringMatching(found) })
    if (level !== 'ok') expect(named(findings, 'clock').advice).toContain('date -u')
  })

  test('a wrong clock is named where a certificate seems out of time', async () => {
    const by = await authorityAt(Date.now())
    const port = await openAgentPort(ends, { by })
    const web = await openSecureWeb(ends, { by })
    const env = {
      ...(await joined(folder, { by })),
      HARBINGER_HUB: `mqtts://localhost:${port}`,
      HARBINGER_RENEWAL_URL: `https://localhost:${web}`,
    }
    const findings = await doctor(env, { aheadMs: 400 * dayMs })
    expect(named(findings, 'clock')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('400 days ahead'),
    })
    expect(named(findings, 'hub certificate')).toMatchObject({
      level: 'failed',
      advice: expect.stringMatching(/^set the clock of this server/),
    })
  })

  test.each([
    [
      '2.0.0',
      'failed',
      /contract 2\.0\.0 is not understood here, this side speaks 1\./,
      /upgrade the agent/,
    ],
    ['0.9.0', 'failed', /contract 0\.9\.0/, /upgrade the hub/],
    ['1.7.0', 'ok', /1\.7\.0 there/, /^$/],
  ])('a hub of contract %s', async (contractVersion, level, found, advice) => {
    const port = await openWeb(ends, saying({ status: 'ok', contractVersion }))
    const findings = await doctor({}, { hub: `http://127.0.0.1:${port}` })
    expect(named(findings, 'contract')).toMatchObject({
      level,
      found: expect.stringMatching(found),
      advice: expect.stringMatching(advice),
    })
  })

  test('a hub of TLS, asked in the clear', async () => {
    const port = await openSecureWeb(ends, { by: await authorityAt(Date.now()) })
    const findings = await doctor({}, { hub: `http://127.0.0.1:${port}` })
    expect(named(findings, 'hub web address')).toMatchObject({
      level: 'failed',
      advice: expect.stringContaining(`https://127.0.0.1:${port}`),
    })
  })

  test('a hub in the clear, asked with TLS', async () => {
    const port = await openWeb(ends, saying({ contractVersion: '1.0.0' }))
    const findings = await doctor({}, { hub: `https://127.0.0.1:${port}` })
    expect(named(findings, 'hub web certificate')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('does not speak TLS'),
      advice: expect.stringContaining('tls.mode: off'),
    })
  })

  test('a web server that is no hub is unknown, and not well', async () => {
    const port = await openWeb(ends, saying({ hello: 'world' }))
    expect(named(await doctor({}, { hub: `http://127.0.0.1:${port}` }), 'contract').ok).toBe(null)
    const other = await openWeb(ends, (_request, response) => void response.writeHead(502).end())
    expect(named(await doctor({}, { hub: `http://127.0.0.1:${other}` }), 'contract')).toMatchObject(
      { level: 'failed', found: expect.stringContaining('answers 502') },
    )
  })
})

describe('/proc', () => {
  const recorded = fileURLToPath(new URL('../../agent/fixtures/bare-metal/after/', import.meta.url))

  test('what is missing costs its readings, by name', async () => {
    cpSync(recorded, folder, { recursive: true })
    rmSync(join(folder, 'proc/meminfo'))
    rmSync(join(folder, 'proc/1'), { recursive: true })
    const findings = await doctor({
      HARBINGER_PROC_ROOT: join(folder, 'proc'),
      HARBINGER_SYS_ROOT: join(folder, 'sys'),
      HARBINGER_HUB: 'mqtt://127.0.0.1:1',
    })
    expect(named(findings, 'proc')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(/proc\/meminfo: ENOENT, no memory and swap$/),
    })
    expect(named(findings, 'collector memory')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('mem_used_pct'),
    })
    expect(named(findings, 'processes')).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining('ProtectProc'),
    })
  })

  test('a folder that is no proc file system is said to be one', async () => {
    mkdirSync(join(folder, 'empty'))
    const findings = await doctor({
      HARBINGER_PROC_ROOT: join(folder, 'empty'),
      HARBINGER_HUB: 'mqtt://127.0.0.1:1',
    })
    expect(named(findings, 'proc')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('holds no proc file system'),
      advice: expect.stringContaining('docker run -v /proc:'),
    })
  })

  test('hidepid is read from the mount', () => {
    const line = (options: string) =>
      `22 27 0:20 / /proc rw,nosuid shared:5 - proc proc rw${options}\n`
    expect(hidepidOf(line(',hidepid=invisible'), '/proc')).toBe('invisible')
    expect(hidepidOf(line(',hidepid=2,gid=99'), '/proc')).toBe('2')
    expect(hidepidOf(line(',hidepid=0'), '/proc')).toBe(undefined)
    expect(hidepidOf(line(''), '/proc')).toBe(undefined)
  })
})

describe('the spool', () => {
  test('samples that wait are counted, with the age of the oldest, and nothing is changed', async () => {
    const old = Date.now() - 3 * 3_600_000
    const spool = openSpool(folder, {
      maxBytes: 64e6,
      maxAgeMs: 7 * dayMs,
      maxInMemory: 100,
      clock: clockAt(),
      log: silentLog,
    })
    for (let seq = 1; seq <= 20; seq++) spool.add({ seq, at: old + seq, json: '{}' })
    await spool.idle()
    spool.forgetUpTo(5)
    spool.add({ seq: 21, at: Date.now(), json: '{}' })
    await spool.idle()
    const findings = await doctor({ HARBINGER_HUB: 'mqtt://127.0.0.1:1' })
    expect(named(findings, 'spool')).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(
        /^16 samples wait for the hub, the oldest of 3 hours ago; .* none was ever dropped$/,
      ),
      advice: expect.stringContaining('nothing is lost yet'),
    })
    expect(spool.state().samples).toBe(16)
    await spool.close()
  })

  test('a damaged one is said to be', async () => {
    mkdirSync(join(folder, 'spool'))
    writeFileSync(join(folder, 'spool', `${'1'.padStart(16, '0')}.spool`), 'not a spool at all')
    const findings = await doctor({ HARBINGER_HUB: 'mqtt://127.0.0.1:1' })
    expect(named(findings, 'spool')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('is damaged'),
    })
  })
})
