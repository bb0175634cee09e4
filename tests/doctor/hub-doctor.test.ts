import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Finding } from '@harbinger/shared/findings'
import { baseModelFolder } from '@harbinger/model-training/model/shipped'
import { openAuthority } from '../../hub/src/identity/authority.ts'
import { keysFolder } from '../../hub/src/identity/secret-files.ts'
import { openServerCredentials } from '../../hub/src/identity/server-credentials.ts'
import { examine } from '../../hub/src/commands/doctor/examine.ts'
import { examineClock } from '../../hub/src/commands/doctor/examine-system.ts'
import { readConfig } from '../../hub/src/config.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { freePort, noMosquitto, startHub, startMosquitto } from '../pipeline/processes.ts'
import { dayMs, named, newFolder, openEnds, openSilence } from './hubs.ts'
import { needsRoot, runDoctor, sh } from './run-doctor.ts'

const ends = openEnds()
afterEach(ends.close)

let folder: string
let data: string
beforeEach(() => {
  folder = newFolder(ends)
  data = join(folder, 'data')
})

type Env = { readonly [name: string]: string }

const ports = async (): Promise<Env> => ({
  HARBINGER_HTTP_PORT: String(await freePort()),
  HARBINGER_MQTT_PORT: String(await freePort()),
})

/** The findings of this process; starting one of its own for each takes seconds. */
async function doctor(env: Env = {}) {
  const from = performance.now()
  const all = { PATH: process.env.PATH, ...(await ports()), ...env }
  const findings = await examine({ data, env: all }, Date.now())
  expect(performance.now() - from).toBeLessThan(15_000)
  return checked(findings)
}

/** What holds of all findings, whatever they are about. */
function checked(findings: readonly Finding[]) {
  for (const { ok, level, found, advice } of findings) {
    expect(found).not.toBe('')
    if (level === 'ok') expect(advice).toBe('')
    if (level === 'failed' || level === 'warning') expect(advice).not.toBe('')
    expect(ok).toBe({ ok: true, warning: true, failed: false, unknown: null }[level])
  }
  return findings
}

/** A database as a hub leaves it, with a server that was first seen so many days ago. */
function haveDatabase(days = 0) {
  const stores = openStores(data)
  stores.db
    .prepare(`INSERT INTO servers (id, name, key, first_seen) VALUES (1, 'web1', 'web1', ?)`)
    .run(Date.now() - days * dayMs)
  stores.close()
}

test('before a hub has run nothing fails, and what is not there is not called well', async () => {
  const { findings, code, stderr } = await runDoctor('hub', ['--json', '--data', data], {
    cwd: folder,
    env: await ports(),
  })
  expect(checked(findings).filter(({ level }) => level === 'failed')).toEqual([])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(named(findings, 'service')).toMatchObject({
    level: 'warning',
    advice: 'start it: harbinger hub',
  })
  expect(named(findings, 'database').ok).toBe(null)
  expect(named(findings, 'model')).toMatchObject({
    level: 'ok',
    found: expect.stringContaining('is whole, and forecasts'),
  })
  expect(existsSync(data)).toBe(false)
})

test('all mistakes of the configuration are named at once', async () => {
  const findings = await doctor({ HARBINGER_HTTP_PORT: 'eighty', HARBINGER_TLS_MODE: 'maybe' })
  expect(named(findings, 'configuration')).toMatchObject({
    level: 'failed',
    found: expect.stringMatching(/tls\.mode = maybe[\s\S]*http\.port = eighty/),
  })
  expect(findings.slice(2).every(({ ok }) => ok === null)).toBe(true)
})

describe('data', () => {
  test('how long the disk lasts is measured on what is there', async () => {
    haveDatabase(10)
    const findings = await doctor()
    expect(named(findings, 'disk space').found).toMatch(
      /the database has .* after 10\.0 days, .* a day on average: enough for/,
    )
    expect(named(findings, 'database')).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/^servers: 1, format \d+; all \d+ tables are whole$/),
    })
    // Looked at, not migrated or opened for writing.
    expect(readdirSync(data).filter((name) => name.startsWith('.doctor'))).toEqual([])
  })

  test('a damaged page of a table is found, and the disk is to be looked at first', async () => {
    haveDatabase()
    const stores = openStores(data)
    const insert = stores.db.prepare(
      'INSERT INTO minutes (server_id, minute, cells) VALUES (1, ?, randomblob(400))',
    )
    stores.db.transaction(() => {
      for (let minute = 0; minute < 2_000; minute++) insert.run(minute)
    })()
    stores.close()
    const file = join(data, 'harbinger.db')
    const db = openSync(file, 'r+')
    // Among the last pages, which are all of that table: everything else can be read.
    writeSync(db, Buffer.alloc(2048, 0xa5), 0, 2048, statSync(file).size - 20 * 4096)
    closeSync(db)
    expect(named(await doctor(), 'database')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(/malformed|Tree|page/i),
      advice: expect.stringMatching(/it is damaged\. Look at the disk first.*last back-up/),
    })
  })

  test('a file that is no database at all', async () => {
    mkdirSync(data)
    writeFileSync(join(data, 'harbinger.db'), 'x'.repeat(8192))
    expect(named(await doctor(), 'database')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('not a database'),
    })
  })

  test('a database of a newer version', async () => {
    haveDatabase()
    const stores = openStores(data)
    stores.db.pragma('user_version = 9999')
    stores.close()
    expect(named(await doctor(), 'database')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('a newer Harbinger wrote it'),
    })
  })
})

const noRoot = needsRoot(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
if (noRoot)
  test(`full disks and foreign owners are not tested: ${noRoot}`, ({ skip }) => skip(noRoot))

describe.skipIf(noRoot !== undefined)('as root can make it', () => {
  const disk = (options: string) => {
    mkdirSync(data)
    sh('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', data)
    ends.add(() => sh('umount', '-l', data))
  }

  test('a full disk', async () => {
    disk('size=256k')
    expect(() => writeFileSync(join(data, 'filler'), Buffer.alloc(512 * 1024, 1))).toThrow(/ENOSPC/)
    const findings = await doctor()
    expect(named(findings, 'data folder')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining(
        'is full (ENOSPC): nothing is stored, agents keep their samples',
      ),
      advice: expect.stringContaining('df -h'),
    })
    expect(named(findings, 'disk space').level).toBe('failed')
  })

  test('a disk that is read-only', async () => {
    disk('size=1m,ro')
    expect(named(await doctor(), 'data folder')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('read-only'),
    })
  })

  test('files that a command left as another user', async () => {
    mkdirSync(join(data, 'models'), { recursive: true })
    for (const path of [data, join(data, 'models')]) chownSync(path, 65534, 65534)
    writeFileSync(join(data, 'models', 'left-by-root'), '')
    expect(named(await doctor(), 'data folder')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('models/left-by-root'),
      advice: `chown -R --reference=${data} ${data}`,
    })
  })

  test('as another user the hub is not judged by what that one may not read', async () => {
    haveDatabase()
    chmodSync(folder, 0o755)
    chmodSync(data, 0o700)
    writeFileSync(join(data, 'hub.json'), '{}', { mode: 0o600 })
    const { findings } = await runDoctor('hub', ['--json', '--data', data], {
      cwd: folder,
      env: await ports(),
      through: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
    })
    for (const check of ['service', 'data folder'])
      expect(named(findings, check)).toMatchObject({
        ok: null,
        advice: 'run it as root: sudo harbinger doctor',
      })
  })
})

describe('ports', () => {
  test('taken by another program', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    ends.add(() => server.close())
    const { port } = server.address() as { port: number }
    expect(
      named(await doctor({ HARBINGER_MQTT_PORT: String(port) }), 'port for agents (MQTT)'),
    ).toMatchObject({
      level: 'failed',
      found: `127.0.0.1:${port} is taken by another program`,
      advice: expect.stringContaining(`ss -ltnp 'sport = :${port}'`),
    })
  })

  test('on an address that this machine has not', async () => {
    expect(
      named(
        await doctor({ HARBINGER_HTTP_HOST: '192.0.2.77', HARBINGER_HTTP_ALLOW_PLAIN: 'yes' }),
        'port for fleet view',
      ),
    ).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('is no address of this machine'),
    })
  })
})

describe('TLS', () => {
  const quiet = { info() {}, warn() {}, error() {} }
  /** Keys as a hub makes them that was started at `at`. */
  async function haveKeys(at = Date.now()) {
    mkdirSync(data, { recursive: true })
    const keys = keysFolder(data)
    const now = () => at
    const authority = await openAuthority({ folder: keys, now })
    await openServerCredentials({
      ...{ authority, folder: keys, names: ['hub.test'], days: 90, now, log: quiet },
    })
    return keys!
  }
  const tls: Env = { HARBINGER_TLS_MODE: 'on', HARBINGER_TLS_NAMES: 'hub.test' }

  test('all is well with what a hub made', async () => {
    await haveKeys()
    const findings = await doctor(tls)
    for (const check of ['keys', 'certificate', 'authority'])
      expect(named(findings, check).level).toBe('ok')
  })

  test.each<[string, (keys: string) => void, string, string, RegExp, RegExp]>([
    [
      'a key that everybody may read',
      (keys) => chmodSync(join(keys, 'ca-key.pem'), 0o644),
      'keys',
      'failed',
      /mode 644\), and everybody may read it: the hub does not start/,
      /^chmod 600 /,
    ],
    [
      'a key that the group may read',
      (keys) => chmodSync(join(keys, 'server.pem'), 0o640),
      'keys',
      'warning',
      /its group may read it/,
      /chmod 600/,
    ],
    [
      'an authority whose key is gone',
      (keys) => rmSync(join(keys, 'ca-key.pem')),
      'keys',
      'failed',
      /ca-key\.pem is not there/,
      /every server has to join again/,
    ],
    [
      'an authority that is gone',
      (keys) => rmSync(join(keys, 'ca.pem')),
      'authority',
      'failed',
      /ca\.pem is not there/,
      /back-up/,
    ],
    [
      'a certificate that is cut off',
      (keys) => writeFileSync(join(keys, 'server.pem'), 'nothing', { mode: 0o600 }),
      'certificate',
      'failed',
      /cannot be used/,
      /the hub makes a new one/,
    ],
  ])('%s', async (_what, spoil, check, level, found, advice) => {
    spoil(await haveKeys())
    expect(named(await doctor(tls), check)).toMatchObject({
      level,
      found: expect.stringMatching(found),
      advice: expect.stringMatching(advice),
    })
  })

  test('a certificate that has ended', async () => {
    await haveKeys(Date.now() - 100 * dayMs)
    expect(named(await doctor(tls), 'certificate')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('no agent and no browser trusts it'),
      advice: expect.stringContaining('systemctl restart harbinger-hub'),
    })
  })

  test('a certificate that should have been renewed', async () => {
    await haveKeys(Date.now() - 75 * dayMs)
    expect(named(await doctor(tls), 'certificate')).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(/\(1\d days\)/),
    })
  })

  test('a certificate of another authority, after a restore of half a folder', async () => {
    const keys = await haveKeys()
    const server = readFileSync(join(keys, 'server.pem'))
    rmSync(keys, { recursive: true })
    await haveKeys()
    writeFileSync(join(keys, 'server.pem'), server, { mode: 0o600 })
    expect(named(await doctor(tls), 'certificate')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('was not signed by the authority'),
    })
  })

  test('in the clear beyond this machine is a warning', async () => {
    expect(
      named(
        await doctor({ HARBINGER_HTTP_HOST: '0.0.0.0', HARBINGER_HTTP_ALLOW_PLAIN: 'yes' }),
        'TLS',
      ),
    ).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining('tls.mode: on'),
    })
  })
})

test('a model whose weights are not what its manifest says', async () => {
  const model = join(folder, 'model')
  cpSync(baseModelFolder, model, { recursive: true })
  const weights = openSync(join(model, 'weights.bin'), 'r+')
  writeSync(weights, Buffer.alloc(64, 1), 0, 64, 1024)
  closeSync(weights)
  const findings = await doctor({ HARBINGER_MODEL_FOLDER: model })
  expect(named(findings, 'model')).toMatchObject({
    level: 'failed',
    found: expect.stringMatching(/weights\.bin has SHA-256/),
    advice: expect.stringContaining('harbinger model list'),
  })
  expect(named(findings, 'device').ok).toBe(null)
})

test('a clock that went back behind the newest sample', async () => {
  const config = readConfig({ env: {}, flags: { 'data.folder': data } })
  const facts = { format: 1, servers: 1, since: null, newest: Date.now(), serving: null, tables: 1 }
  const database = { facts, whole: 1, problem: undefined, isComplete: true }
  const at = async (now: number) =>
    named(
      await examineClock({ config, now, isFull: false, hub: { state: 'none' }, database }),
      'clock',
    )
  expect(await at(Date.now() - 3_600_000)).toMatchObject({
    level: 'failed',
    found: expect.stringContaining('the clock went back'),
    advice: expect.stringContaining('timedatectl set-ntp true'),
  })
  expect(await at(Date.UTC(2001, 0, 1))).toMatchObject({ level: 'failed' })
  expect(await at(Date.now())).toMatchObject({ level: 'ok' })
})

test('beside a hub that runs: it is asked, and goes on', async () => {
  const env = await ports()
  const hub = await startHub(data, { env })
  ends.add(() => hub.end())
  const findings = await doctor({
    ...env,
    HARBINGER_HTTP_PORT: '0',
    HARBINGER_MQTT_PORT: String(hub.mqttPort),
  })
  expect(named(findings, 'service')).toMatchObject({
    level: 'ok',
    found: expect.stringContaining(`running, pid ${hub.pid}`),
  })
  expect(named(findings, 'port for agents (MQTT)')).toMatchObject({
    level: 'ok',
    found: expect.stringContaining(`:${hub.mqttPort}`),
  })
  expect(named(findings, 'port for fleet view')).toMatchObject({
    level: 'warning',
    found: expect.stringContaining('the settings say'),
  })
  for (const check of ['version', 'database', 'model', 'data folder'])
    expect(named(findings, check).level).toBe('ok')
  expect(await hub.get('/health')).toMatchObject({ problems: [] })

  // Stopped as a debugger stops it: alive, and says nothing.
  process.kill(hub.pid, 'SIGSTOP')
  const silent = await doctor(env)
  expect(named(silent, 'service')).toMatchObject({
    level: 'failed',
    found: expect.stringContaining(`process ${hub.pid} is the hub and does not answer`),
    advice: expect.stringContaining('systemctl restart harbinger-hub'),
  })
  expect(named(silent, 'port for agents (MQTT)').ok).toBe(null)
})

const noBroker = noMosquitto()
if (noBroker) test(`an external broker is not tested: ${noBroker}`, ({ skip }) => skip(noBroker))

describe.skipIf(noBroker !== undefined)('an external broker', () => {
  test('its rights are tried under a name of its own; what it refuses is named', async () => {
    const port = await freePort()
    chmodSync(folder, 0o755)
    const path = (name: string) => join(folder, name)
    execFileSync('mosquitto_passwd', [
      '-b',
      '-c',
      path('passwords'),
      'harbinger-hub',
      'a long secret',
    ])
    chmodSync(path('passwords'), 0o644)
    writeFileSync(path('password'), 'a long secret\n')
    const broker = await startMosquitto(folder, port, [
      ...[
        `listener ${port} 127.0.0.1`,
        'allow_anonymous false',
        `password_file ${path('passwords')}`,
      ],
    ])
    ends.add(() => broker.end())
    const env = {
      HARBINGER_BROKER_URL: `mqtt://127.0.0.1:${port}`,
      HARBINGER_BROKER_USERNAME: 'harbinger-hub',
    }
    const right = await doctor({ ...env, HARBINGER_BROKER_PASSWORD_FILE: path('password') })
    expect(named(right, 'broker')).toMatchObject({
      level: 'ok',
      found: expect.stringContaining('asked as harbinger-doctor-'),
    })
    const wrong = await doctor({ ...env, HARBINGER_BROKER_PASSWORD: 'another secret' })
    expect(named(wrong, 'broker')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(/not authorized|bad user/i),
      advice: expect.stringContaining('broker.passwordFile'),
    })
    expect(JSON.stringify(wrong)).not.toContain('another secret')
  })

  test('that takes the connection and never says a word', async () => {
    const port = await openSilence(ends)
    const findings = await doctor({ HARBINGER_BROKER_URL: `mqtt://127.0.0.1:${port}` })
    expect(named(findings, 'broker')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(/no answer in 4 s|connack timeout/),
      advice: expect.stringContaining('is it a port of a broker?'),
    })
  })

  test('that is not there', async () => {
    const findings = await doctor({ HARBINGER_BROKER_URL: `mqtt://127.0.0.1:${await freePort()}` })
    expect(named(findings, 'broker')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('ECONNREFUSED'),
      advice: expect.stringContaining('start the broker'),
    })
  })
})
