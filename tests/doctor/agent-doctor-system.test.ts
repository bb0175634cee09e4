import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { named, newFolder, openEnds } from './hubs.ts'
import { needsRoot, runDoctor, sh } from './run-doctor.ts'

const ends = openEnds()
afterEach(ends.close)

let folder: string
beforeEach(() => {
  folder = newFolder(ends)
  // Read by another user in some of these.
  chmodSync(folder, 0o755)
})

const recorded = fileURLToPath(new URL('../../agent/fixtures/bare-metal/after/', import.meta.url))
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
const env = (more: { readonly [name: string]: string } = {}) => ({
  ...{
    HARBINGER_SERVER: 'web1',
    HARBINGER_HUB: 'mqtt://127.0.0.1:1',
    HARBINGER_STATE_DIRECTORY: folder,
  },
  ...more,
})

/** A device that takes every packet and passes none on: kernels have the one or the other. */
const sink = 'ip link add sink type dummy 2>/dev/null || ip tuntap add sink mode tun'
const noNetwork = needsRoot(['ip', '-V'], ['unshare', '--net', '--mount', 'sh', '-c', sink])
if (noNetwork)
  test(`a network that swallows packets is not tested: ${noNetwork}`, ({ skip }) => skip(noNetwork))

describe.skipIf(noNetwork !== undefined)('in a network of its own', () => {
  // Everything that leaves through "sink" is gone without a word, as behind a firewall that drops.
  const swallowing = [
    ...['unshare', '--net', '--mount', 'sh', '-c'],
    `ip link set lo up && { ${sink}; } && ip addr add 192.0.2.1/24 dev sink && ip link set sink up && { ip link show sink | grep -q NOARP || ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev sink; } && if [ -n "$RESOLV" ]; then mount --bind "$RESOLV" /etc/resolv.conf; fi && exec "$@"`,

    'sh',
  ]

  test('a blocked port is no refused one, and all of it takes less than 15 s', async () => {
    const { findings, code, ms } = await runDoctor('agent', ['--json'], {
      ...{ cwd: folder, through: swallowing },
      env: env({
        HARBINGER_HUB: 'mqtts://192.0.2.9:8883',
        HARBINGER_RENEWAL_URL: 'https://192.0.2.9:8443',
      }),
    })
    expect(named(findings, 'hub port')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('does not answer'),
      advice: expect.stringMatching(
        /firewall-cmd --permanent --add-port=8883\/tcp.*\n.*tcpdump -ni any tcp port 8883/,
      ),
    })
    expect(named(findings, 'hub web port')).toMatchObject({
      level: 'failed',
      advice: expect.stringContaining('8443/tcp'),
    })
    for (const check of ['hub certificate', 'clock', 'contract'])
      expect(named(findings, check).ok).toBe(null)
    expect(code).toBe(1)
    expect(ms).toBeLessThan(15_000)
  })

  test('no way there at all is said to be one', async () => {
    const { findings } = await runDoctor('agent', ['--json'], {
      ...{ cwd: folder, through: swallowing },
      env: env({ HARBINGER_HUB: 'mqtts://198.51.100.9:8883' }),
    })
    expect(named(findings, 'hub port')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('there is no way'),
      advice: expect.stringContaining('ip route get 198.51.100.9'),
    })
  })

  test('a DNS server that does not answer is no missing name', async () => {
    const resolv = join(folder, 'resolv.conf')
    // Two tries of a minute each: the doctor does not wait for them, and its process is not held up.
    writeFileSync(resolv, 'nameserver 192.0.2.9\noptions timeout:30 attempts:2\n')
    const { findings, ms } = await runDoctor('agent', ['--json'], {
      ...{ cwd: folder, through: swallowing },
      env: env({ HARBINGER_HUB: 'mqtts://hub.example.com:8883', RESOLV: resolv }),
    })
    expect(named(findings, 'hub name')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(/no DNS server answers .*the name may well be right/),
      advice: expect.stringContaining('/etc/resolv.conf'),
    })
    expect(ms).toBeLessThan(15_000)
  })

  test('a DNS server that is not there, neither', async () => {
    const resolv = join(folder, 'resolv.conf')
    writeFileSync(resolv, 'nameserver 127.0.0.1\n')
    const { findings } = await runDoctor('agent', ['--json'], {
      ...{ cwd: folder, through: swallowing },
      env: env({ HARBINGER_HUB: 'mqtts://hub.example.com:8883', RESOLV: resolv }),
    })
    expect(named(findings, 'hub name')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('EAI_AGAIN'),
    })
  })
})

const noMount = needsRoot(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
if (noMount) test(`a full disk is not tested: ${noMount}`, ({ skip }) => skip(noMount))

describe.skipIf(noMount !== undefined)('a disk', () => {
  const disk = (options: string) => {
    const at = join(folder, 'disk')
    mkdirSync(at)
    sh('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', at)
    ends.add(() => sh('umount', '-l', at))
    return at
  }
  const examine = async (at: string) =>
    (
      await runDoctor('agent', ['--json'], {
        cwd: folder,
        env: env({ HARBINGER_STATE_DIRECTORY: at }),
      })
    ).findings

  test('that is full', async () => {
    const at = disk('size=256k')
    expect(() => writeFileSync(join(at, 'filler'), Buffer.alloc(512 * 1024, 1))).toThrow(/ENOSPC/)
    const findings = await examine(at)
    expect(named(findings, 'state folder')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('is full (ENOSPC): samples wait in memory'),
      advice: expect.stringContaining(`df -h ${at}`),
    })
    expect(named(findings, 'disk space').level).toBe('failed')
  })

  test('that has less room than the spool may take', async () => {
    const findings = await examine(disk('size=20m'))
    expect(named(findings, 'state folder').level).toBe('ok')
    expect(named(findings, 'disk space')).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(/^2\d MB are free for a spool of at most 64 MB$/),
      advice: expect.stringContaining('spoolMegabytes to less than 10'),
    })
  })

  test('that has no inode left', async () => {
    const at = disk('size=1m,nr_inodes=2')
    writeFileSync(join(at, 'last'), '')
    expect(named(await examine(at), 'disk space')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('inodes are used'),
    })
  })

  test('that is read-only', async () => {
    expect(named(await examine(disk('size=1m,ro')), 'state folder')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('mounted read-only'),
      advice: expect.stringContaining('remount,rw'),
    })
  })
})

const noUser = needsRoot([...nobody, 'true'])
if (noUser) test(`another user is not tested: ${noUser}`, ({ skip }) => skip(noUser))

describe.skipIf(noUser !== undefined)('as a user without rights', () => {
  test('files of /proc that may not be read are named, with what they cost', async () => {
    cpSync(recorded, folder, { recursive: true })
    for (const file of ['stat', 'meminfo']) chmodSync(join(folder, 'proc', file), 0o000)
    const { findings, code } = await runDoctor('agent', ['--json'], {
      ...{ cwd: folder, through: nobody },
      env: env({
        HARBINGER_PROC_ROOT: join(folder, 'proc'),
        HARBINGER_SYS_ROOT: join(folder, 'sys'),
      }),
    })
    expect(code).toBe(1)
    expect(named(findings, 'proc')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(
        /proc\/stat: EACCES, no CPU\n.*proc\/meminfo: EACCES, no memory and swap/,
      ),
      advice: expect.stringContaining('namei -l'),
    })
    expect(named(findings, 'collector cpu').level).toBe('failed')
    expect(named(findings, 'readings').level).toBe('ok')
  })

  test('what only the service may read is not checked, and how to have it checked is said', async () => {
    mkdirSync(join(folder, 'tls'), { mode: 0o700 })
    writeFileSync(join(folder, 'tls/identity.pem'), 'secret', { mode: 0o600 })
    const { findings, stdout } = await runDoctor('agent', ['--json'], {
      ...{ cwd: folder, through: nobody },
      env: env({
        HARBINGER_HUB: 'mqtts://127.0.0.1:1',
        HARBINGER_IDENTITY_FILE: join(folder, 'tls/identity.pem'),
      }),
    })
    for (const check of ['certificate', 'state folder']) {
      expect(named(findings, check)).toMatchObject({
        ok: null,
        advice: 'run it as root: sudo harbinger-agent doctor',
      })
    }
    expect(stdout).not.toContain('secret"')
  })
})
