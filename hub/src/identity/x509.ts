// The library finds its parts through Reflect metadata, which has to be there before it is.
import 'reflect-metadata'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  webcrypto,
} from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** A key and what others may know of it, in PEM. */
export type Credentials = { readonly key: string; readonly certificate: string }

type Signing = {
  readonly key: webcrypto.CryptoKey
  readonly algorithm: { readonly name: string; readonly hash?: string }
}

/** What signs: the certificate of an authority and its key. */
export type Issuer = { readonly certificate: x509.X509Certificate; readonly signing: Signing }

type Times = { readonly from: number; readonly until: number }

x509.cryptoProvider.set(webcrypto as never)

const curves: { readonly [curve: string]: string } = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
}

/** How a private key signs; throws for keys that OpenSSL would not take from us either. */
export function signingOf(key: KeyObject): Signing {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key
  const namedCurve = curves[details?.namedCurve ?? '']
  if (kind === 'ec' && namedCurve) {
    const hash = namedCurve === 'P-384' ? 'SHA-384' : 'SHA-256'
    const usable = key.toCryptoKey({ name: 'ECDSA', namedCurve }, false, ['sign'])
    return { key: usable as webcrypto.CryptoKey, algorithm: { name: 'ECDSA', hash } }
  }
  if (kind === 'rsa' && (details?.modulusLength ?? 0) >= 2048) {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    return { key: key.toCryptoKey(algorithm, false, ['sign']) as webcrypto.CryptoKey, algorithm }
  }
  throw new Error(
    `expected a private key on curve P-256 or P-384, or RSA of at least 2048 bits, got ${kind ?? 'none'} ${details?.namedCurve ?? details?.modulusLength ?? ''}`,
  )
}

export const issuerOf = ({ key, certificate }: Credentials): Issuer => ({
  certificate: new x509.X509Certificate(certificate),
  signing: signingOf(createPrivateKey(key)),
})

/** A new key pair on P-256: the curve every TLS 1.2 peer knows, with the smallest keys. */
async function newKey(): Promise<{
  pem: string
  publicKey: webcrypto.CryptoKey
  privateKey: webcrypto.CryptoKey
}> {
  const pair = (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey))
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  return { ...pair, pem: key.export({ type: 'pkcs8', format: 'pem' }) as string }
}

const usages = x509.KeyUsageFlags
const name = (commonName: string, what: string): x509.JsonName => [
  { CN: [commonName] },
  { O: [what] },
]

const spanOf = ({ from, until }: Times) => ({
  notBefore: new Date(from),
  notAfter: new Date(until),
})

/** A certificate authority that signs for itself and for nothing but ends: no authority below it. */
export async function makeAuthority(commonName: string, times: Times): Promise<Credentials> {
  const { pem, publicKey, privateKey } = await newKey()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: newSerial(), name: name(commonName, 'Harbinger'), ...spanOf(times) },
    keys: { publicKey, privateKey },
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages.keyCertSign | usages.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return { key: pem, certificate: certificate.toString('pem') + '\n' }
}

/** A certificate with which the hub proves who it is. It serves for nothing else. */
export async function makeServerCertificate(
  issuer: Issuer,
  names: readonly string[],
  times: Times,
): Promise<Credentials> {
  const { pem, publicKey } = await newKey()
  const certificate = await sign(issuer, {
    ...{ publicKey, times, subject: name(names[0]!.slice(0, 64), 'Harbinger hub') },
    usage: '1.3.6.1.5.5.7.3.1',
    alternatives: names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })),
  })
  return { key: pem, certificate }
}

/** Where a certificate names the enrolment that it comes from. */
export const enrolmentUri = 'urn:harbinger:enrolment:'

/** A certificate with which an agent proves which server it speaks for. It cannot play the hub. */
export async function makeAgentCertificate(
  issuer: Issuer,
  { server, enrolment, request }: { server: string; enrolment: string; request: string },
  times: Times,
): Promise<string> {
  const publicKey = await new x509.Pkcs10CertificateRequest(request).publicKey.export()
  return sign(issuer, {
    ...{ publicKey, times, subject: name(server, 'Harbinger agent') },
    usage: '1.3.6.1.5.5.7.3.2',
    alternatives: [
      { type: 'dns', value: server },
      { type: 'url', value: enrolmentUri + enrolment },
    ],
  })
}

async function sign(
  { certificate: authority, signing }: Issuer,
  what: {
    readonly publicKey: webcrypto.CryptoKey
    readonly times: Times
    readonly subject: x509.JsonName
    readonly usage: string
    readonly alternatives: x509.JsonGeneralName[]
  },
): Promise<string> {
  // No certificate outlives the one that vouches for it.
  const until = Math.min(what.times.until, authority.notAfter.getTime())
  const made = await x509.X509CertificateGenerator.create({
    ...{ serialNumber: newSerial(), subject: what.subject, issuer: authority.subjectName },
    ...spanOf({ from: what.times.from, until }),
    ...{ publicKey: what.publicKey, signingKey: signing.key, signingAlgorithm: signing.algorithm },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usages.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([what.usage]),
      new x509.SubjectAlternativeNameExtension([...what.alternatives]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(what.publicKey),
    ],
  })
  return made.toString('pem') + '\n'
}

/** 20 bytes at most and positive (RFC 5280, 4.1.2.2), and nobody can guess the next one. */
function newSerial(): string {
  const bytes = webcrypto.getRandomValues(Buffer.alloc(16))
  bytes[0]! &= 0x7f
  bytes[0]! |= 0x40
  return bytes.toString('hex')
}

export type CertificateRequest = { readonly server: string; readonly keySha256: string }

/** What a certificate signing request asks for, once it is sure that its sender holds the key. */
export async function readRequest(
  pem: string,
): Promise<CertificateRequest | { readonly rejected: string }> {
  let request: x509.Pkcs10CertificateRequest
  try {
    request = new x509.Pkcs10CertificateRequest(pem)
    const raw = Buffer.from(request.publicKey.rawData)
    const key = createPublicKey({ key: raw, format: 'der', type: 'spki' })
    const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key
    const isFit =
      (kind === 'ec' && (details?.namedCurve ?? '') in curves) ||
      (kind === 'rsa' && details!.modulusLength! >= 2048 && details!.modulusLength! <= 4096)
    if (!isFit) {
      return {
        rejected:
          'the key of the request is neither on curve P-256 or P-384 nor RSA of 2048 to 4096 bits',
      }
    }
    if (!(await request.verify())) return { rejected: 'the request is not signed by its own key' }
    return {
      server: request.subjectName.getField('CN')[0] ?? '',
      keySha256: createHash('sha256').update(raw).digest('hex'),
    }
  } catch (error) {
    return {
      rejected: `this is no certificate signing request in PEM: ${(error as Error).message.slice(0, 120)}`,
    }
  }
}
