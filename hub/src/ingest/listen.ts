import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { constants } from 'node:crypto'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { type AgentName, agentNameOf } from '../identity/agent-name.ts'

/** What an agent's connection is secured and judged with. */
export type AgentGate = {
  readonly credentials: {
    readonly current: () => { readonly key: string; readonly certificate: string }
    readonly onChange: (listener: () => void) => void
  }
  /** PEM of the authority that signs agents' certificates. */
  readonly agentAuthority: string
  /** The reason why a certificate of the authority lets nobody in; undefined when it does. */
  readonly mayConnect: (name: AgentName) => string | undefined
}

type Options = {
  readonly host: string
  readonly port: number
  readonly gate: AgentGate | undefined
  /** `name` is whom the certificate speaks for; undefined for a connection in the clear. */
  readonly onConnection: (socket: Socket, name: AgentName | undefined) => void
  /** A peer that did not get through the handshake: no certificate, a foreign one, an old TLS. */
  readonly onRefused: (reason: string, address: string) => void
}

/** Listens for agents: with TLS on both sides, or in the clear. */
export async function listen({ host, port, gate, onConnection, onRefused }: Options) {
  const server = gate ? secureServer(gate) : createServer((socket) => begin(socket, undefined))

  function begin(socket: Socket, name: AgentName | undefined): void {
    socket.setNoDelay(true)
    onConnection(socket, name)
  }

  function secureServer(gate: AgentGate): Server {
    const context = () => {
      const { key, certificate } = gate.credentials.current()
      return {
        ...{ key, cert: certificate, ca: gate.agentAuthority, minVersion: 'TLSv1.2' as const },
        // A resumed session would skip what the certificate is asked for; a full handshake costs a millisecond.
        secureOptions: constants.SSL_OP_NO_TICKET,
      }
    }
    const options = { requestCert: true, rejectUnauthorized: true, handshakeTimeout: 10_000 }
    const server = createTlsServer({ ...context(), ...options }, (socket) => {
      const name = agentNameOf(socket.getPeerX509Certificate())
      if (name) return begin(socket, name)
      onRefused('the certificate is no agent’s', socket.remoteAddress ?? '')
      socket.destroy()
    })
    server.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket) =>
      onRefused(error.code ?? error.message, socket.remoteAddress ?? ''),
    )
    // Connections that are open go on with what they agreed on; the next ones see the new certificate.
    gate.credentials.onChange(() => server.setSecureContext(context()))
    return server
  }

  server.listen(port, host)
  await once(server, 'listening').catch((error: Error) => {
    throw new Error(`agents cannot be heard on ${host}:${port}: ${error.message}`, { cause: error })
  })
  return {
    port: (server.address() as { port: number }).port,
    close: () => void server.close(),
  }
}
