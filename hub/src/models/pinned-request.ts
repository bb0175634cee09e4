import { request } from 'node:https'

export type Answer = {
  readonly ok: boolean
  readonly status: number
  readonly json: () => Promise<unknown>
}

/** Asks over HTTPS a hub that has exactly this certificate, whatever names stand in it and whoever signed it. */
export function pinnedRequest(
  url: string,
  {
    certificate,
    headers = {},
    timeoutMs,
    body,
  }: {
    certificate: string
    headers?: Readonly<Record<string, string>>
    timeoutMs: number
    body?: string
  },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...{ ca: certificate, allowPartialTrustChain: true, minVersion: 'TLSv1.2' },
      // Nothing but the certificate itself is trusted, so there is no other name to look for.
      checkServerIdentity: () => undefined,
      signal: AbortSignal.timeout(timeoutMs),
    })
    asked.on('error', reject)
    asked.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const status = response.statusCode ?? 0
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({
          ...{ status, ok: status >= 200 && status < 300 },
          json: async () => JSON.parse(text) as unknown,
        })
      })
    })
    asked.end(body)
  })
}
