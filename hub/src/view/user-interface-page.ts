import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'

export const pathOf = (url: string): string => url.split('?', 1)[0]!.slice(0, 200)

/** Answers a page's own addresses, /servers/db01 say, with the one page; true when it did. */
export function servePage(
  uiDirectory: string,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  const path = pathOf(request.url)
  const isPage =
    request.method === 'GET' &&
    !/^\/(api|assets|metrics)(\/|$)/.test(path) &&
    (request.headers.accept ?? '').includes('text/html')
  if (!isPage || !existsSync(join(uiDirectory, 'index.html'))) return false
  reply.header('cache-control', 'no-cache')
  void reply.sendFile('index.html')
  return true
}
