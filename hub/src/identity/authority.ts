import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readIfThere, readSecret, writePublic, writeSecret } from './secret-files.ts'
import type { CertificateRequest, Credentials } from './x509.ts'

const dayMs = 86_400_000
/** Replacing an authority means enrolling every agent again, so it lives as long as a hub does. */
const authorityDays = 3_650
/** How wrong the clock of a server may be; the hub says the same of samples. */
const skewMs = 5 * 60_000

export type Authority = Awaited<ReturnType<typeof openAuthority>>

type Options = {
  /** Where the hub keeps its keys; undefined keeps them in memory alone. */
  readonly folder: string | undefined
  readonly now: () => number
  /** An authority that the operator brings, instead of the hub's own. */
  readonly given?: { readonly certificateFile: string; readonly keyFile: string } | undefined
}

/** Signs what the hub and its agents prove themselves with; made when there is none yet. */
export async function openAuthority({ folder, now, given }: Options) {
  // 20 MB of memory that a hub without TLS need not have.
  const x509 = await import('./x509.ts')
  const credentials = given ? readGiven(given) : await ownAuthority()
  const issuer = x509.issuerOf(credentials)
  const parsed = new X509Certificate(credentials.certificate)
  if (!parsed.ca) {
    throw new Error(`${given?.certificateFile ?? folder}: this certificate may not sign others`)
  }

  async function ownAuthority(): Promise<Credentials> {
    const files = folder && { key: join(folder, 'ca-key.pem'), certificate: join(folder, 'ca.pem') }
    // The certificate is written last: without it the key beside it has never signed anything.
    const certificate = files && readIfThere(files.certificate)
    if (files && certificate !== undefined) return { key: readSecret(files.key), certificate }
    const made = await x509.makeAuthority(`Harbinger CA of ${hostname().slice(0, 40)}`, {
      from: now() - skewMs,
      until: now() + authorityDays * dayMs,
    })
    if (files) {
      writeSecret(files.key, made.key)
      writePublic(files.certificate, made.certificate)
    }
    return made
  }

  const times = (days: number) => ({ from: now() - skewMs, until: now() + days * dayMs })

  return {
    /** PEM; what agents verify the hub with when its certificate is of this authority. */
    certificate: credentials.certificate,
    sha256: sha256Of(parsed),
    until: Date.parse(parsed.validTo),
    signServer: (names: readonly string[], days: number): Promise<Credentials> =>
      x509.makeServerCertificate(issuer, names, times(days)),
    readRequest: x509.readRequest,
    signAgent: (
      asked: Pick<CertificateRequest, 'server'> & { enrolment: string; request: string },
      days: number,
    ): Promise<string> => x509.makeAgentCertificate(issuer, asked, times(days)),
    /** Whether this authority signed a certificate, whatever else is to be said of it. */
    signed: (certificate: X509Certificate): boolean => certificate.verify(parsed.publicKey),
  }
}

function readGiven(given: { certificateFile: string; keyFile: string }): Credentials {
  const key = readSecret(given.keyFile)
  const certificate = readIfThere(given.certificateFile)
  if (certificate === undefined) throw new Error(`${given.certificateFile}: there is no such file`)
  return { key, certificate }
}

/** As `--ca-sha256` takes it: 64 hex digits. */
export const sha256Of = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase()
