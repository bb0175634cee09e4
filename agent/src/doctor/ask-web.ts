import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { stepMs } from './reach.ts'

export type WebAnswer = {
  readonly status: number
  /** What the clock of the other side said, ms; it counts whole seconds. */
  readonly at: number | undefined
  readonly body: unknown
}

/** A hub says a few words of itself; more is no answer of a hub. */
const maxBytes = 256 * 1024

type Options = {
  readonly ca?: string | readonly string[]
  readonly body?: object
  /** False asks whoever is there, who is then told nothing of this server. */
  readonly isVerified: boolean
}

/** Asks the web side of a hub once; why there was no answer is an answer too. */
export const askWeb = (
  hub: URL,
  path: string,
  { ca, body, isVerified }: Options,
): Promise<WebAnswer | { readonly problem: string }> =>
  new Promise((resolve) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const request = hub.protocol === 'https:' ? secureRequest : plainRequest
    const asked = request(new URL(path, hub), {
      method: text === undefined ? 'GET' : 'POST',
      agent: false,
      signal: AbortSignal.timeout(stepMs),
      ...(text !== undefined && {
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      }),
      ...{ minVersion: 'TLSv1.2', allowPartialTrustChain: true, rejectUnauthorized: isVerified },
      ...(ca !== undefined && { ca: ca as string | string[] }),
    })
    asked.once('error', ({ message }) => resolve({ problem: message }))
    asked.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.once('error', ({ message }) => resolve({ problem: message }))
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBytes) response.destroy(new Error('the answer is too long'))
        chunks.push(chunk)
      })
      response.once('end', () => {
        const at = Date.parse(response.headers.date ?? '')
        resolve({
          status: response.statusCode ?? 0,
          at: Number.isNaN(at) ? undefined : at,
          body: readJson(Buffer.concat(chunks).toString('utf8')),
        })
      })
    })
    asked.end(text)
  })

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A word of an answer; undefined when it has none of that name. */
export const wordOf = (body: unknown, name: string): string | undefined => {
  const value = (body as { readonly [name: string]: unknown } | null | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}
