import { createHash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, connect, type DetailedPeerCertificate } from 'node:tls'
import { type Place, stepMs } from './reach.ts'

/** With what this side verifies and proves itself; both in PEM. */
export type Papers = {
  readonly ca: string | readonly string[]
  readonly identity?: string | undefined
}

export type Shown = {
  /** The certificate of the other side and those that vouch for it, leaf first. */
  readonly chain: readonly X509Certificate[]
  /** OpenSSL's code when it does not lead to what this side trusts, or is out of time. */
  readonly distrust: string | undefined
  /** Why the name does not fit. */
  readonly wrongName: string | undefined
  /** It speaks HTTP: no port for agents. */
  readonly isWeb: boolean
  /** It ended the connection when it had seen our certificate, or that there is none. */
  readonly hungUp: string | undefined
}

export type Handshake = Shown | { readonly code: string; readonly message: string }

/** A listener of ours hangs up within one round trip; nobody who takes the certificate says anything before CONNECT. */
const hangUpMs = 1_000

/**
 * A TLS handshake with both certificates and nothing after it: an MQTT CONNECT would push the live agent of the same
 * certificate off the hub. Everything is looked at, also behind what OpenSSL stops at.
 */
export const shakeHands = (
  { host, port }: Place,
  { ca, identity }: Papers,
  { waitForHangUp = false } = {},
): Promise<Handshake> =>
  new Promise((resolve) => {
    const socket = connect({
      ...{ host, port, minVersion: 'TLSv1.2', allowPartialTrustChain: true },
      servername: isIP(host) ? '' : host,
      // Looked at below, so that every mistake is found and not only the first. Nothing is sent.
      rejectUnauthorized: false,
      // A web server takes the first; a broker knows neither, or the second.
      ALPNProtocols: ['http/1.1', 'mqtt'],
      ca: ca as string | string[],
      ...(identity !== undefined && { key: identity, cert: identity }),
    })
    let shown: Shown | undefined
    const finish = (found: Handshake) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(found)
    }
    let timer = setTimeout(
      () => finish({ code: 'ETIMEDOUT', message: `no TLS answer in ${stepMs} ms` }),
      stepMs,
    )
    socket.once('secureConnect', () => {
      const peer = socket.getPeerCertificate(true)
      const { authorizationError } = socket
      const distrust = authorizationError as unknown as string | Error | undefined
      shown = {
        chain: chainOf(peer),
        distrust: distrust ? String(distrust) : undefined,
        wrongName: checkServerIdentity(host, peer)?.message,
        isWeb: socket.alpnProtocol === 'http/1.1',
        hungUp: undefined,
      }
      if (!waitForHangUp || shown.isWeb) return finish(shown)
      clearTimeout(timer)
      timer = setTimeout(() => finish(shown!), hangUpMs)
    })
    const ended = (reason: string) => {
      if (shown) finish({ ...shown, hungUp: reason })
    }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (shown) ended(error.code ?? error.message)
      else finish({ code: error.code ?? 'unknown', message: error.message })
    })
    socket.on('close', () => {
      if (shown) ended('it closed the connection')
      else finish({ code: 'ECONNRESET', message: 'the connection was closed' })
    })
    // Without a reader the end of the stream is not noticed.
    socket.resume()
  })

function chainOf(first: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = first
  // The last one vouches for itself.
  while (next?.raw && chain.length < 10 && !chain.some(({ raw }) => raw.equals(next!.raw))) {
    chain.push(new X509Certificate(next.raw))
    next = next.issuerCertificate
  }
  return chain
}

export const sha256Of = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('hex')
