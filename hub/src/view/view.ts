import type { AddressInfo } from 'node:net'
import { viewApp, type ViewAppOptions } from './view-app.ts'

export type View = {
  /** Where it listens, as a person types it: http://127.0.0.1:8080 */
  readonly address: string
  close(): Promise<void>
}

/** Listens for browsers and programs; `port` 0 takes any free one. */
export async function openView({
  port,
  ...options
}: ViewAppOptions & { readonly port: number }): Promise<View> {
  const { app } = await viewApp(options)
  try {
    await app.listen({ host: options.host, port })
  } catch (error) {
    await app.close()
    throw explain(error as NodeJS.ErrnoException, options.host, port)
  }
  const { address, family, port: taken } = app.server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return { address: `http://${host}:${taken}`, close: () => app.close() }
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
