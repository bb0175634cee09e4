import { spawn } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { RetiredServer, ServerDetail } from '@harbinger/shared/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSecureHub, type SecureHub, until } from './secure-hub.ts'

let hub: SecureHub
const ends: (() => unknown)[] = []
beforeAll(async () => {
  hub = await openSecureHub()
}, 90_000)
afterAll(async () => {
  for (const end of ends) await end()
  await hub.close()
})

const server = async (name: string) => (await hub.ask<ServerDetail>(`/servers/${name}`)).body

test(
  'a copied disk, key and all, is a conflict and not two halves of one series; revoked, it is retired at once',
  { timeout: 120_000 },
  async () => {
    const { line } = await hub.token({ uses: 1 })
    expect(await hub.join('web1', line)).toMatchObject({ code: 0 })
    const original = hub.startAgent('web1')
    await until('the original is heard', async () => (await server('web1')).lastSeen, 60_000)

    const [from, to] = [join(hub.folder, 'web1'), join(hub.folder, 'copied')]
    cpSync(from, to, { recursive: true })
    const config = join(to, 'agent.yaml')
    writeFileSync(config, readFileSync(config, 'utf8').replaceAll(from, to))
    const root = join(import.meta.dirname, '../..')
    const args = [join(root, 'agent/src/main.ts'), 'run', '--config', config]
    const clone = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, HARBINGER_INTERVAL_SECONDS: '1' },
    })
    ends.push(() => clone.kill('SIGKILL'))
    const said: string[] = []
    createInterface({ input: clone.stderr }).on('line', (text) => said.push(text))

    const found = await until(
      'both are shown',
      async () => {
        const detail = await server('web1')
        return detail.conflict && detail.conflictOf ? detail : undefined
      },
      60_000,
    )
    expect(found.presence.state).toBe('heard')
    expect(found.conflictOf!.others).toHaveLength(1)
    await until('the copy says why', () =>
      said.some((text) => text.includes('another live agent calls itself web1')),
    )
    expect(original.said.join()).not.toContain('no connection to the hub')

    // It speaks: it would be back at once.
    expect(await hub.ask('/servers/web1/retire', {})).toMatchObject({ status: 409 })
    await hub.ask('/agents/web1/revoke', {})
    expect(
      await hub.ask<RetiredServer>('/servers/web1/retire', { reason: 'copied' }),
    ).toMatchObject({
      status: 200,
      body: { name: 'web1', certificate: 'revoked', retired: { reason: 'copied' } },
    })
    // Neither of the two comes back.
    await until('nobody is connected', async () => {
      const { body } = await hub.ask<{ agents: { connected: boolean }[] }>('/agents')
      return body.agents.every(({ connected }) => !connected)
    })
    expect((await hub.ask('/servers')).body).toMatchObject({ servers: [] })
    await original.stop()
  },
)
