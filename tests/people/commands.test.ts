import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../hub/src/clock.ts'
import { runCommand } from '../../hub/src/commands/program.ts'
import { goodPassword } from '../view/memory-people.ts'

const main = join(import.meta.dirname, '../../hub/src/main.ts')
let folder: string
let running: ChildProcess | undefined
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'harbinger-people-'))
})
afterAll(async () => {
  if (running && running.exitCode === null) {
    running.kill('SIGTERM')
    await once(running, 'exit')
  }
  rmSync(folder, { recursive: true })
})

const environment = () => ({ ...process.env, HARBINGER_DATA_FOLDER: folder })

/** `harbinger …` as a process of its own, with what is piped in. */
async function harbinger(args: readonly string[], input = '') {
  const child = spawn(process.execPath, [main, ...args], { env: environment() })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

const clock = systemClock(() => Date.now())

/** `harbinger …` in this process, which takes no time to start; what it wrote, or why it failed. */
async function run(...args: string[]): Promise<string> {
  const { stdout, stderr, env } = process
  const before = env['HARBINGER_DATA_FOLDER']
  let out = ''
  const write = (chunk: unknown) => ((out += String(chunk)), true)
  const spies = [stdout, stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(write),
  )
  env['HARBINGER_DATA_FOLDER'] = folder
  try {
    const code = await runCommand(args, clock)
    return code === 0 ? out : `exit ${code}: ${out}`
  } catch (error) {
    return `failed: ${(error as Error).message}`
  } finally {
    for (const spy of spies) spy.mockRestore()
    if (before === undefined) delete env['HARBINGER_DATA_FOLDER']
    else env['HARBINGER_DATA_FOLDER'] = before
  }
}

type Line = { readonly msg: string; readonly [field: string]: unknown }

/** A hub that others reach; settles with its lines once it is up. */
async function startHub() {
  const child = spawn(process.execPath, [main, 'hub', '--port', '0', '--mqtt-port', '0'], {
    env: {
      ...{ ...environment(), HARBINGER_FORECAST_DEVICE: 'cpu' },
      ...{ HARBINGER_HTTP_HOST: '0.0.0.0', HARBINGER_HTTP_ALLOW_PLAIN: 'yes' },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running = child
  const lines: Line[] = []
  for await (const text of createInterface({ input: child.stdout! })) {
    const line = JSON.parse(text) as Line
    lines.push(line)
    if (line.msg === 'the hub is up') break
  }
  return lines
}

test('from an empty folder to people, tokens and commands that a hub with users answers', async () => {
  const lines = await startHub()
  const said = lines.find(({ setUpSecret }) => setUpSecret !== undefined)!
  const port = new URL(String(said['page'])).port
  const hub = `http://127.0.0.1:${port}`
  expect((await run('user', 'set-up-secret')).trim()).toBe(said['setUpSecret'])
  expect(statSync(join(folder, 'set-up-secret')).mode & 0o777).toBe(0o600)
  expect((await fetch(`${hub}/api/v1/fleet`)).status).toBe(401)

  // The first is an admin; the password comes from standard input, never from an argument.
  expect(await run('user', 'add', 'ada')).toMatch(
    /failed: the first user of a hub is an admin: add --role admin/,
  )
  const added = await harbinger(['user', 'add', 'ada', '--role', 'admin'], `${goodPassword}\n`)
  expect(added).toMatchObject({ code: 0, out: 'ada may log in as admin\n' })

  // The running hub knows at once.
  const login = (password: string) =>
    fetch(`${hub}/api/v1/session`, {
      ...{ method: 'POST', body: JSON.stringify({ name: 'ada', password }) },
      headers: { 'content-type': 'application/json' },
    })
  const entered = await login(goodPassword)
  const session = /^[^;]+/.exec(entered.headers.get('set-cookie')!)![0]
  const fleet = (headers: Record<string, string>) =>
    fetch(`${hub}/api/v1/fleet`, { headers }).then(({ status }) => status)
  expect(await fleet({ cookie: session })).toBe(200)
  expect((await harbinger(['user', 'passwd', 'ada'], 'another four words here')).code).toBe(0)
  expect(await fleet({ cookie: session })).toBe(401)
  expect((await login(goodPassword)).status).toBe(401)

  // Beside a hub with users the command line still reaches it, by a secret that only its own account reads.
  expect(statSync(join(folder, 'hub.json')).mode & 0o777).toBe(0o600)
  const { secret } = JSON.parse(readFileSync(join(folder, 'hub.json'), 'utf8')) as {
    secret: string
  }
  expect(await fleet({ authorization: `Bearer ${secret}` })).toBe(200)
  expect(JSON.parse(await run('model', 'list', '--json'))).toMatchObject({ nextCursor: null })

  const created = await harbinger(['api-token', 'create', 'prometheus', '--days', '30'])
  const token = created.out.trim()
  expect(created.err).toMatch(/API token 1 \(prometheus, read\) works until/)
  const metrics = (bearer: string) =>
    fetch(`${hub}/metrics`, { headers: { authorization: `Bearer ${bearer}` } })
  expect((await metrics(token)).status).toBe(200)
  const listed = await run('api-token', 'list')
  expect(listed).toMatch(/1 {2}read +prometheus {2}by command line \(\w+\), until /)
  expect(listed).not.toContain(token)
  expect(await run('api-token', 'revoke', '1')).toBe('API token 1 (prometheus) is revoked\n')
  expect((await metrics(token)).status).toBe(401)

  expect(await run('user', 'remove', 'ada')).toMatch(/^failed: ada is the last admin/)
  expect(await run('user', 'set-up-secret')).toMatch(/^failed: .*nothing to set up/)
  const list = JSON.parse(await run('user', 'list', '--json')) as { users: object[] }
  expect(list.users).toMatchObject([{ name: 'ada', role: 'admin' }])
}, 120_000)

test.each([
  [['user', 'role', 'ada', 'root'], /expected viewer, operator or admin, got root/],
  [['user', 'passwd', 'nobody'], /there is no user nobody/],
  [['user', 'add', 'x', '--password', 'y'], /unknown option '--password'/],
  [['api-token', 'create', 'x', '--scope', 'root'], /expected read, operate or admin, got root/],
  [['api-token', 'create', 'x', '--days', '9999'], /from 1 to 730, got 9999/],
  [['api-token', 'revoke', '77'], /there is no API token 77/],
])('harbinger %j says what is wrong', async (args, reason) => {
  const said = await run(...args)
  expect(said).toMatch(/^(failed|exit 1): /)
  expect(said).toMatch(reason)
})
