import type { AddressInfo } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { viewApp, type ViewAppOptions } from './view-app.ts'

export type View = {
  /** Where it listens, as a person types it: http://127.0.0.1:8080 */
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

/** Listens for browsers and programs; `port` 0 takes any free one. */
export async function openView({
  port,
  credentials,
  ...options
}: ViewAppOptions & {
  readonly port: number
  /** With what the hub proves who it is; undefined is HTTP in the clear. */
  readonly credentials?: ViewCredentials | undefined
}): Promise<View> {
  const { app } = await viewApp({ ...options, https: credentials && contextOf(credentials) })
  // Connections that are open go on with what they agreed on; the next ones see the new certificate.
  credentials?.onChange(() =>
    (app.server as unknown as TlsServer).setSecureContext(contextOf(credentials)),
  )
  try {
    await app.listen({ host: options.host, port })
  } catch (error) {
    await app.close()
    throw explain(error as NodeJS.ErrnoException, options.host, port)
  }
  const { address, port: taken } = app.server.address() as AddressInfo
  const own = credentials && ['0.0.0.0', '::'].includes(address) ? '127.0.0.1' : address
  const host = own.includes(':') ? `[${own}]` : own
  const scheme = credentials ? 'https' : 'http'
  return { address: `${scheme}://${host}:${taken}`, port: taken, close: () => app.close() }
}

type ViewCredentials = {
  readonly current: () => { readonly key: string; readonly certificate: string }
  readonly onChange: (listener: () => void) => void
}

const contextOf = ({ current }: ViewCredentials) => {
  const { key, certificate } = current()
  return { key, cert: certificate, minVersion: 'TLSv1.2' as const }
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const where = `${host}:${port}`
  if (error.code === 'EADDRINUSE') {
    return new Error(`${where} is in use by another program: stop it or choose another port`, {
      cause: error,
    })
  }
  if (error.code === 'EACCES') {
    return new Error(`not allowed to listen on ${where}: ports below 1024 need a privilege`, {
      cause: error,
    })
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new Error(`${host} is not an address of this machine`, { cause: error })
  }
  return error
}
