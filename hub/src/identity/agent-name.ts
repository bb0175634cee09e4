import type { X509Certificate } from 'node:crypto'

/** Whom a certificate speaks for. */
export type AgentName = {
  readonly server: string
  readonly enrolment: string
  /** ms; from then on the certificate is worth nothing */
  readonly until: number
}

// The whole text, as node renders it for what x509.ts writes: anything beside these two names is not ours.
const names = /^DNS:([A-Za-z0-9._-]{1,253}), URI:urn:harbinger:enrolment:([0-9a-f]{32})$/

/** Reads an agent's certificate; undefined for one that is no agent's. That the authority signed it, TLS has checked. */
export function agentNameOf(certificate: X509Certificate | undefined): AgentName | undefined {
  const [, server, enrolment] = names.exec(certificate?.subjectAltName ?? '') ?? []
  if (!certificate || server === undefined || enrolment === undefined) return undefined
  return { server, enrolment, until: Date.parse(certificate.validTo) }
}
