import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate, getCACertificates } from 'node:tls'

const timeoutMs = 20_000
/** A certificate, the authority's and some words; more is no answer of a hub. */
const maxAnswerBytes = 256 * 1024

/** What verifies the hub: certificates in PEM, or the authorities that this system trusts. */
export type Trust = { readonly ca: string } | 'system'

const toPem = (raw: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${raw
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END CERTIFICATE-----\n`

/**
 * The certificate with this SHA-256 among those that the hub shows, for verifying it with from then on. Nothing is sent.
 * Throws when there is none.
 */
export function fetchAuthority(hub: URL, sha256: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const host = hub.hostname.replace(/^\[|\]$/g, '')
    const socket = connect({
      ...{ host, port: Number(hub.port || 443), minVersion: 'TLSv1.2' },
      servername: isIP(host) ? '' : host,
      // What it shows is compared with the fingerprint; the request that follows is verified in full.
      rejectUnauthorized: false,
    })
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    socket.setTimeout(timeoutMs, () => fail(new Error(`${hub.host}: no answer in ${timeoutMs} ms`)))
    socket.once('error', (error) => fail(unreachable(hub, error)))
    socket.once('secureConnect', () => {
      const shown = chainOf(socket.getPeerCertificate(true))
      socket.destroy()
      const found = shown.find((raw) => sha256Of(raw) === sha256)
      if (found) return resolve(toPem(found))
      reject(
        new Error(
          `${hub.host} is not the hub of this line: it shows certificates with SHA-256 ${shown.map(sha256Of).join(', ')}, none is ${sha256}. Copy the line again from the hub; if it is the same, somebody stands between. Nothing secret was sent.`,
        ),
      )
    })
  })
}

const sha256Of = (raw: Buffer): string => createHash('sha256').update(raw).digest('hex')

function chainOf(first: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = []
  let next: DetailedPeerCertificate | undefined = first
  // The last one vouches for itself.
  while (next?.raw && chain.length < 10 && !chain.some((raw) => raw.equals(next!.raw))) {
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  return chain
}

/** Sends JSON to a hub that proves who it is, and throws its own words when it refuses. */
export function askHub<Answer>(
  hub: URL,
  path: string,
  { body, trust }: { readonly body: object; readonly trust: Trust },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body)
    const asked = request(new URL(path, hub), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      ...{ minVersion: 'TLSv1.2', agent: false, timeout: timeoutMs },
      // A fingerprint may be that of an authority which another one vouches for.
      ...{ ca: trust === 'system' ? systemAuthorities() : trust.ca, allowPartialTrustChain: true },
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    asked.once('error', (error) => reject(unreachable(hub, error)))
    asked.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.once('error', reject)
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes)
          response.destroy(new Error(`${hub.host}: the answer is too long`))
        chunks.push(chunk)
      })
      response.once('end', () => {
        const answer = readJson(Buffer.concat(chunks).toString('utf8'))
        if (response.statusCode === 200 && answer) return resolve(answer as Answer)
        const told = (answer as { error?: { message?: unknown } } | undefined)?.error?.message
        reject(
          new Error(
            typeof told === 'string'
              ? `the hub refuses: ${told}`
              : `${hub.host} answered ${response.statusCode}: is it a hub?`,
          ),
        )
      })
    })
    asked.end(text)
  })
}

/** Those of Node and those that the system's administrator added. */
export const systemAuthorities = (): string[] => [
  ...new Set([...getCACertificates('default'), ...getCACertificates('system')]),
]

function readJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

const certificateCodes =
  /^(ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_)/

function unreachable(hub: URL, error: NodeJS.ErrnoException): Error {
  const advice = certificateCodes.test(error.code ?? '')
    ? 'the hub could not prove who it is: give the --ca-sha256 of the line, and the name that the line has'
    : error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
      ? 'check the name and the DNS'
      : error.code === 'ECONNREFUSED'
        ? 'start the hub, or check the port'
        : error.code === 'EPROTO'
          ? 'is this the HTTPS port of a hub?'
          : 'check the network and the firewall between here and there'
  return new Error(`${hub.host}: ${error.message}; ${advice}`, { cause: error })
}
