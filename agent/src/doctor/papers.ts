import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import type { Config } from '../config.ts'
import { keyIn } from '../join/credential-files.ts'
import { readLastJoin } from '../join/last-join.ts'
import { readHubUrl } from '../publish/connection.ts'
import type { Trusted } from './judge-certificate.ts'
import { sha256Of } from './handshake.ts'
import { systemAuthorities } from '../join/ask-hub.ts'

const dayMs = 86_400_000

/** What the agent proves itself with and verifies the hub with, as far as it can be used. */
export type Held = {
  readonly identity: string | undefined
  readonly ca: string | readonly string[]
  readonly trusted: Trusted
  readonly findings: readonly Finding[]
}

const joinAnew =
  'join again: on the hub, harbinger token create --allow-rejoin, and run the line it prints here as root'

type Files = Pick<Config, 'server' | 'hub' | 'identityFile' | 'caFile' | 'stateDirectory'>

/** Looks at the certificate and key of this agent, and at what it trusts. */
export function examinePapers(config: Files, now: number): Held {
  const own = ownPapers(config, now)
  const { finding, ...trust } = trustedPapers(config.caFile, now)
  return {
    ...trust,
    identity: own.identity,
    findings: [own.finding, ...(finding ? [finding] : [])],
  }
}

function ownPapers(
  { server, hub, identityFile, stateDirectory }: Files,
  now: number,
): { identity?: string; finding: Finding } {
  const check = 'certificate'
  if (identityFile === undefined) return { finding: withoutCertificate(check, hub, stateDirectory) }
  let pem: string
  let mode: number
  try {
    pem = readFileSync(identityFile, 'utf8')
    mode = statSync(identityFile).mode & 0o777
  } catch (error) {
    return { finding: unreadable(check, identityFile, error as NodeJS.ErrnoException, joinAnew) }
  }
  try {
    const certificate = new X509Certificate(pem)
    const isOwn = certificate.checkPrivateKey(createPrivateKey(keyIn(pem, identityFile)))
    if (!isOwn) {
      return {
        finding: failed(check, `${identityFile}: the key is not that of the certificate`, joinAnew),
      }
    }
    return {
      identity: pem,
      finding: judgeOwn(check, certificate, { server, now, mode, file: identityFile }),
    }
  } catch (error) {
    const found = `${identityFile} holds no key and certificate in PEM: ${(error as Error).message}`
    return { finding: failed(check, found, joinAnew) }
  }
}

function judgeOwn(
  check: string,
  certificate: X509Certificate,
  { server, now, mode, file }: { server: string; now: number; mode: number; file: string },
): Finding {
  const from = Date.parse(certificate.validFrom)
  const until = Date.parse(certificate.validTo)
  const at = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? certificate.subject
  if (name.toLowerCase() !== server.toLowerCase()) {
    return failed(
      check,
      `${file} is the certificate of ${name}, this server calls itself ${server}: the hub drops what it says`,
      `set server: ${name} in the settings, or, if this machine was copied from ${name}, join it under its own name: harbinger token create on the hub, and the line here with --server ${server}`,
    )
  }
  if (until <= now) {
    return failed(
      check,
      `it ended at ${at(until)}`,
      `${joinAnew}\nif the date is wrong, set the clock first: date -u`,
    )
  }
  if (from > now) {
    return failed(
      check,
      `it is valid from ${at(from)} on, and this server's clock says ${at(now)}`,
      'set the clock of this server: chronyc makestep, or timedatectl set-ntp true',
    )
  }
  if ((mode & 0o077) !== 0) {
    return failed(
      check,
      `${file} holds the private key and others may read it (mode ${mode.toString(8)})`,
      `chmod 600 ${file}; if others have had a look: harbinger agent revoke ${name} on the hub, and join again`,
    )
  }
  const days = (until - now) / dayMs
  const found = `of ${name}, until ${at(until)} (${Math.floor(days)} days)`
  // It is renewed from two thirds of its life on.
  return now > from + 0.8 * (until - from)
    ? warning(
        check,
        `${found}, and it should have been renewed by now`,
        'see "enrolment" and "hub web port"; the log says why: journalctl -u harbinger-agent | grep renewed',
      )
    : fine(check, found)
}

function withoutCertificate(check: string, hub: string, stateDirectory: string): Finding {
  const last = readLastJoin(stateDirectory)
  const tried =
    last === undefined
      ? 'nobody has tried to join from here'
      : `the last try to join, at ${new Date(last.at).toISOString()} at ${last.hub}, ended with: ${last.said}`
  if (readHubUrl(hub)?.secure !== true) {
    return last === undefined
      ? fine(check, 'none, and the address of the hub asks for none')
      : warning(check, `none; ${tried}`, adviceAfter(last.said))
  }
  return failed(
    check,
    `this agent has none; ${tried}`,
    last === undefined
      ? 'on the hub, harbinger token create prints a line; run it here as root'
      : adviceAfter(last.said),
  )
}

/** What to do about the words with which a hub refused a token. */
function adviceAfter(said: string): string {
  if (/is enrolled already|was revoked at .*: let it/.test(said)) {
    return 'on the hub: harbinger token create --allow-rejoin, and run the line it prints here as root'
  }
  if (/token/.test(said)) {
    return 'on the hub: harbinger token list shows why; harbinger token create makes a new one, run the line it prints here as root'
  }
  return 'remove what is named, then run the line of the hub here again as root; harbinger-agent doctor https://HUB:8443 checks the way there first'
}

function trustedPapers(
  caFile: string | undefined,
  now: number,
): { ca: string | readonly string[]; trusted: Trusted; finding?: Finding } {
  const check = 'authority'
  if (caFile === undefined) {
    return {
      ca: systemAuthorities(),
      trusted: { by: 'what this system trusts', sha256: undefined },
    }
  }
  try {
    const ca = readFileSync(caFile, 'utf8')
    const certificate = new X509Certificate(ca)
    const sha256 = sha256Of(certificate)
    const held = { ca, trusted: { by: caFile, sha256 } }
    const found = `${certificate.validTo} is the end of the authority in ${caFile}`
    return Date.parse(certificate.validTo) <= now
      ? { ...held, finding: failed(check, found, joinAnew) }
      : { ...held, finding: fine(check, `SHA-256 ${sha256}`) }
  } catch (error) {
    return {
      ca: [],
      trusted: { by: caFile, sha256: undefined },
      finding: unreadable(check, caFile, error as NodeJS.ErrnoException, joinAnew),
    }
  }
}

/** A file that this user may not read says nothing of whether the agent may. */
export function unreadable(
  check: string,
  file: string,
  error: NodeJS.ErrnoException,
  advice: string,
): Finding {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return isAnotherUsers(file)
      ? notChecked(
          check,
          `this user may not read ${file}`,
          'run it as root: sudo harbinger-agent doctor',
        )
      : failed(
          check,
          `${file} cannot be read: ${error.message}`,
          `give it to the user of the agent: chown harbinger-agent: ${file}`,
        )
  }
  if (error.code === 'ENOENT') return failed(check, `${file} is not there`, advice)
  return failed(check, `${file}: ${error.message}`, advice)
}

/** Whether the first folder above that can be looked at belongs to somebody else. */
function isAnotherUsers(file: string): boolean {
  const uid = process.getuid?.()
  for (
    let path = file;
    path !== '/' && path !== '.';
    path = path.slice(0, path.lastIndexOf('/')) || '/'
  ) {
    try {
      const owner = statSync(path).uid
      return owner !== uid && !isServiceUser(uid)
    } catch {
      // Further up.
    }
  }
  return false
}

/** By the name of the process's user in passwd(5): what the service's user may not read, the service may not. */
function isServiceUser(uid: number | undefined): boolean {
  return userName(uid) === 'harbinger-agent'
}

export function userName(uid: number | undefined): string | undefined {
  if (uid === undefined) return undefined
  try {
    return new RegExp(`^([^:]+):[^:]*:${uid}:`, 'm').exec(readFileSync('/etc/passwd', 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
