import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '@harbinger/shared/findings'
import { newKey, signingRequest } from '../../agent/src/join/signing-request.ts'
import { openAuthority } from '../../hub/src/identity/authority.ts'
import { listen } from '../../hub/src/ingest/listen.ts'

export const dayMs = 86_400_000

type Authority = Awaited<ReturnType<typeof openAuthority>>

/** Ends of what a test opened, last first. */
export function openEnds() {
  const ends: (() => unknown)[] = []
  return {
    add: (end: () => unknown) => void ends.push(end),
    async close() {
      for (const end of ends.splice(0).reverse()) await end()
    },
  }
}

export type Ends = ReturnType<typeof openEnds>

export function newFolder(ends: Ends): string {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-doctor-'))
  ends.add(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function listening(server: Server, ends: Ends): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.add(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** An authority of the hub's own code, which believes that it is `now`. */
export const authorityAt = (now: number): Promise<Authority> =>
  openAuthority({ folder: undefined, now: () => now })

/** A real listener for agents, with a certificate that `by` signed for `names`. */
export async function openAgentPort(
  ends: Ends,
  {
    by,
    names = ['localhost', '127.0.0.1'],
    days = 90,
    agents = by,
  }: {
    readonly by: Authority
    readonly names?: readonly string[]
    readonly days?: number
    readonly agents?: Authority
  },
): Promise<number> {
  const { key, certificate } = await by.signServer(names, days)
  const listener = await listen({
    ...{
      host: '127.0.0.1',
      port: 0,
      onRefused() {},
      onConnection: (socket) => void socket.resume(),
    },
    gate: {
      credentials: {
        current: () => ({ key, certificate: certificate + by.certificate }),
        onChange() {},
      },
      agentAuthority: agents.certificate,
      mayConnect: () => undefined,
    },
  })
  ends.add(listener.close)
  return listener.port
}

/** What joining leaves on a server: a certificate of `by` for `server`, and the authority it trusts. */
export async function joined(
  folder: string,
  {
    by,
    server = 'web1',
    trusts = by,
    mode = 0o600,
    days = 90,
  }: {
    readonly by: Authority
    readonly server?: string
    readonly trusts?: Authority
    readonly mode?: number
    readonly days?: number
  },
) {
  const key = newKey()
  const request = signingRequest(key, server)
  const certificate = await by.signAgent({ server, enrolment: 'ab'.repeat(16), request }, days)
  const files = { identity: join(folder, 'identity.pem'), ca: join(folder, 'ca.pem') }
  writeFileSync(files.identity, key + certificate, { mode })
  writeFileSync(files.ca, trusts.certificate)
  return {
    HARBINGER_IDENTITY_FILE: files.identity,
    HARBINGER_CA_FILE: files.ca,
    HARBINGER_SERVER: server,
  }
}

/** A web server that says of itself what a hub says. */
export const openWeb = (ends: Ends, answer: RequestListener): Promise<number> =>
  listening(createHttpServer(answer), ends)

export const saying =
  (body: object, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }

export async function openSecureWeb(
  ends: Ends,
  {
    by,
    names = ['localhost', '127.0.0.1'],
  }: { readonly by: Authority; readonly names?: readonly string[] },
): Promise<number> {
  const { key, certificate } = await by.signServer(names, 90)
  return listening(
    createHttpsServer(
      { key, cert: certificate + by.certificate },
      saying({ contractVersion: '1.0.0' }),
    ),
    ends,
  )
}

/** Something that listens and never says a word. */
export const openSilence = (ends: Ends): Promise<number> =>
  listening(
    createTcpServer(() => {}),
    ends,
  )

export const named = (findings: readonly Finding[], check: string): Finding => {
  const found = findings.find((finding) => finding.check === check)
  if (!found) throw new Error(`no check ${check} among ${findings.map((f) => f.check).join(', ')}`)
  return found
}
