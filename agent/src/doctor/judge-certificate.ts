import type { X509Certificate } from 'node:crypto'
import { failed, type Finding, fine, warning } from '@harbinger/shared/findings'
import { type Handshake, sha256Of } from './handshake.ts'

const dayMs = 86_400_000

export type Trusted = {
  /** A file of the agent, or what the system trusts. */
  readonly by: string
  /** SHA-256 of the authority, as the line to join has it; undefined for the system's. */
  readonly sha256: string | undefined
}

type Told = {
  readonly host: string
  readonly port: number
  readonly trusted: Trusted
  readonly now: number
  /** How far this server's clock is ahead of the hub's; undefined when that is not known. */
  readonly skewMs: number | undefined
}

const day = (text: string): string => new Date(text).toISOString().slice(0, 16).replace('T', ' ')

export const commonName = (subject: string): string =>
  /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')

const isOut = (skewMs: number | undefined): boolean => Math.abs(skewMs ?? 0) > 5 * 60_000

const setClock = 'set the clock of this server: chronyc makestep, or timedatectl set-ntp true'

/** Whether the other side proved that it is the hub, and if not, which of the many ways it failed in. */
export function judgeCertificate(check: string, shaken: Handshake, told: Told): Finding {
  const { host, port, trusted, now, skewMs } = told
  const at = `${host}:${port}`
  if ('code' in shaken) return judgeFailure(check, at, shaken)
  const [leaf] = shaken.chain
  if (!leaf) return failed(check, `${at} shows no certificate`, 'is this the address of a hub?')

  const early = shaken.chain.find(({ validFrom }) => Date.parse(validFrom) > now)
  if (early) {
    return failed(
      check,
      `the certificate of ${commonName(early.subject)} is valid from ${day(early.validFrom)} UTC on, and this server's clock says ${day(new Date(now).toISOString())}`,
      isOut(skewMs)
        ? setClock
        : `compare both clocks (date -u, here and on ${host}) and set the wrong one`,
    )
  }
  const late = shaken.chain.find(({ validTo }) => Date.parse(validTo) <= now)
  if (late) {
    return failed(
      check,
      `the certificate of ${commonName(late.subject)} ended at ${day(late.validTo)} UTC, by this server's clock ${lasted(now - Date.parse(late.validTo))} ago`,
      isOut(skewMs)
        ? setClock
        : `on ${host}: harbinger doctor says why it was not renewed; a hub renews its own by itself while it runs, one that was brought (tls.certificateFile) has to be replaced`,
    )
  }
  if (shaken.distrust !== undefined && !/ERR_TLS_CERT_ALTNAME/.test(shaken.distrust)) {
    const last = shaken.chain.at(-1)!
    const ours = trusted.sha256 === undefined ? '' : `, this agent trusts ${trusted.sha256}`
    return failed(
      check,
      `${at} is not the hub this server joined: its certificate comes from ${commonName(leaf.issuer)} (SHA-256 of what vouches for it: ${sha256Of(last)})${ours} (${trusted.by}); ${shaken.distrust}`,
      trusted.sha256 === undefined
        ? `join with the line of the hub, which has --ca-sha256; or let this system trust who signed it`
        : `if the hub was set up anew, join again: on the hub, harbinger token create --allow-rejoin, and run the line it prints here. If it was not, another machine answers at ${at}: nothing was sent to it`,
    )
  }
  if (shaken.wrongName !== undefined) {
    const names = namesOf(leaf)
    return failed(
      check,
      `the certificate at ${at} is for ${names.join(', ') || 'no name'}, not for ${host}`,
      `call the hub by one of these names in the settings of the agent, or add ${host} to tls.names in /etc/harbinger/hub.yaml and restart the hub: systemctl restart harbinger-hub`,
    )
  }
  const days = (Date.parse(leaf.validTo) - now) / dayMs
  const found = `${commonName(leaf.subject)}, vouched for by ${trusted.by}, until ${day(leaf.validTo)} UTC`
  return days < 7
    ? warning(
        check,
        `${found}: ${days.toFixed(1)} days are left`,
        `on ${host}: harbinger doctor says why it is not renewed`,
      )
    : fine(check, found)
}

function judgeFailure(
  check: string,
  at: string,
  { code, message }: { readonly code: string; readonly message: string },
): Finding {
  if (/WRONG_VERSION|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST/.test(code)) {
    return failed(
      check,
      `${at} does not speak TLS (${code})`,
      'the port is of something else, or the hub has tls.mode: off. On the hub: harbinger hub --print-config',
    )
  }
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE|NO_SHARED_CIPHER/.test(code)) {
    return failed(
      check,
      `${at} and this agent agree on no TLS (${code}); the agent speaks TLS 1.2 and 1.3`,
      'look for an old proxy or load balancer in between',
    )
  }
  return failed(
    check,
    code === 'ETIMEDOUT'
      ? `${at} takes the connection and then says nothing: no TLS answer`
      : `${at} ends the TLS handshake: ${message}`,
    'is this the port of a hub? A port in the clear, a proxy or a hub that is overloaded does this. On the hub: journalctl -u harbinger-hub -n 50',
  )
}

const namesOf = ({ subjectAltName }: X509Certificate): string[] =>
  (subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''))

/** A time as a person says it: the largest unit that fits. */
export function lasted(ms: number): string {
  const size = Math.abs(ms)
  const [amount, unit] =
    size >= 2 * dayMs
      ? [size / dayMs, 'days']
      : size >= 2 * 3_600_000
        ? [size / 3_600_000, 'hours']
        : size >= 2 * 60_000
          ? [size / 60_000, 'minutes']
          : [size / 1000, 'seconds']
  return `${Math.round(amount)} ${unit}`
}
