import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'

/** A new private key in PEM; it never leaves this server. */
export const newKey = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

/**
 * Asks for a certificate for `key`: PKCS #10 (RFC 2986) with a common name and nothing else. Written out here, because
 * a library for it would cost a running agent, which renews its certificate, 20 MB; OpenSSL and the hub's library read
 * it in the tests.
 */
export function signingRequest(key: string, server: string): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const commonName = sequence(objectId(0x55, 0x04, 0x03), der(0x0c, Buffer.from(server, 'utf8')))
  const info = sequence(
    der(0x02, Buffer.from([0])),
    sequence(der(0x31, commonName)),
    spki,
    // No attributes.
    der(0xa0),
  )
  // ecdsa-with-SHA256, 1.2.840.10045.4.3.2
  const algorithm = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const signature = der(
    0x03,
    Buffer.from([0]),
    sign('sha256', info, { key: createPrivateKey(key), dsaEncoding: 'der' }),
  )
  const lines = sequence(info, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

/** Tag, length, content (X.690, 8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)
const objectId = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes))
