import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import { sha256Of } from '../../identity/authority.ts'
import { keysFolder } from '../../identity/secret-files.ts'
import type { TlsConfig } from '../../identity/tls-config.ts'
import { isLoopback } from '../../loopback.ts'
import { asRoot, type Asked } from './asked.ts'

const dayMs = 86_400_000
const restart = 'systemctl restart harbinger-hub'

/** What the hub proves itself with and signs agents with: there, unspoilt, of this time, and for nobody else to read. */
export function examineTls({ config, now, hub }: Asked): Finding[] {
  const { tls, http, mqtt, broker } = config
  if (!tls) {
    const isOpen = !isLoopback(http.host) || (!broker && !isLoopback(mqtt.host))
    return [
      isOpen
        ? warning(
            'TLS',
            'off, and the hub is heard beyond this machine: names, passwords and samples go in the clear',
            'tls.mode: on in /etc/harbinger/hub.yaml (docs/security.md)',
          )
        : fine('TLS', 'off: the hub is heard on this machine alone'),
    ]
  }
  const folder = keysFolder(config.dataFolder) ?? ''
  const files = ownFiles(folder, tls)
  const isBegun = hub.state === 'answers' || existsSync(folder)
  if (!isBegun)
    return [
      notChecked('TLS', `${folder} is not there yet: the hub makes its keys when it first starts`),
    ]
  return [
    keys([files.server.key, files.authority.key], folder),
    certificate('certificate', files.server, {
      now,
      isOwn: !tls.server,
      authority: files.authority.certificate,
    }),
    authority(files.authority.certificate, now),
  ]
}

type Pair = { readonly certificate: string; readonly key: string }

const ownFiles = (folder: string, tls: TlsConfig): { server: Pair; authority: Pair } => ({
  server: tls.server
    ? { certificate: tls.server.certificateFile, key: tls.server.keyFile }
    : { certificate: join(folder, 'server.pem'), key: join(folder, 'server.pem') },
  authority: tls.authority
    ? { certificate: tls.authority.certificateFile, key: tls.authority.keyFile }
    : { certificate: join(folder, 'ca.pem'), key: join(folder, 'ca-key.pem') },
})

/** ssh refuses keys that others may read; so does the hub, and a thief would not. */
function keys(files: readonly string[], folder: string): Finding {
  const check = 'keys'
  for (const file of new Set(files)) {
    try {
      const mode = statSync(file).mode & 0o777
      readFileSync(file)
      if ((mode & 0o077) !== 0) {
        const harm =
          (mode & 0o007) !== 0
            ? 'and everybody may read it: the hub does not start with it'
            : 'and its group may read it'
        const found = `${file} holds a private key (mode ${mode.toString(8)}), ${harm}`
        const advice = `chmod 600 ${file}; whoever could read it may have it: docs/security.md, "A stolen data folder"`
        return (mode & 0o007) !== 0 ? failed(check, found, advice) : warning(check, found, advice)
      }
    } catch (error) {
      return unreadable(check, file, error as NodeJS.ErrnoException)
    }
  }
  return fine(check, `those in ${folder} are for the hub's user alone`)
}

function unreadable(
  check: string,
  file: string,
  { code, message }: NodeJS.ErrnoException,
): Finding {
  if (code === 'ENOENT') {
    return failed(
      check,
      `${file} is not there`,
      `put it back from the back-up (docs/security.md): without the authority's key every server has to join again. A certificate of its own the hub makes anew: ${restart}`,
    )
  }
  return code === 'EACCES' && !isServiceUser()
    ? notChecked(check, `this user may not read ${file}`, asRoot)
    : failed(check, `${file} cannot be read: ${message}`, `chown harbinger: ${file}`)
}

function isServiceUser(): boolean {
  try {
    return new RegExp(`^harbinger:[^:]*:${process.getuid?.()}:`, 'm').test(
      readFileSync('/etc/passwd', 'utf8'),
    )
  } catch {
    return false
  }
}

const at = (text: string): string =>
  `${new Date(text).toISOString().slice(0, 16).replace('T', ' ')} UTC`

function certificate(
  check: string,
  files: Pair,
  { now, isOwn, authority }: { now: number; isOwn: boolean; authority: string },
): Finding {
  let found: X509Certificate
  try {
    found = new X509Certificate(readFileSync(files.certificate))
    if (!found.checkPrivateKey(createPrivateKey(readFileSync(files.key)))) {
      return failed(
        check,
        `${files.key} is not the key of the certificate in ${files.certificate}`,
        isOwn
          ? `rm ${files.certificate} && ${restart}: the hub makes a new one`
          : 'bring both from the same issue; tls.certificateFile and tls.keyFile name them',
      )
    }
  } catch (error) {
    const failure = error as NodeJS.ErrnoException
    if (failure.code === 'ENOENT' || failure.code === 'EACCES')
      return unreadable(check, files.certificate, failure)
    return failed(
      check,
      `${files.certificate} or ${files.key} cannot be used: ${failure.message}`,
      isOwn
        ? `rm ${files.certificate} && ${restart}: the hub makes a new one`
        : 'both have to be PEM',
    )
  }
  const [from, until] = [Date.parse(found.validFrom), Date.parse(found.validTo)]
  const anew = isOwn
    ? `the hub renews it while it runs: ${restart}; journalctl -u harbinger-hub | grep certificate`
    : `bring a new one to ${files.certificate}; the hub takes it up within seconds, without a restart`
  if (until <= now)
    return failed(
      check,
      `the hub's certificate ended at ${at(found.validTo)}: no agent and no browser trusts it`,
      anew,
    )
  if (from > now)
    return failed(
      check,
      `the hub's certificate is valid from ${at(found.validFrom)} on: the clock is wrong, or was when it was made`,
      `date -u; ${anew}`,
    )
  if (isOwn && !isSignedBy(found, authority))
    return failed(
      check,
      `the hub's certificate was not signed by the authority in ${authority}`,
      `rm ${files.certificate} && ${restart}: the hub makes a new one`,
    )
  const days = (until - now) / dayMs
  const text = `for ${namesOf(found)}, until ${at(found.validTo)} (${Math.floor(days)} days)`
  // It is renewed when two thirds of its life are over.
  const isLate = isOwn ? now > from + 0.75 * (until - from) : days < 14
  return isLate ? warning(check, text, anew) : fine(check, text)
}

const namesOf = ({ subjectAltName }: X509Certificate): string =>
  (subjectAltName ?? 'no name').replaceAll(/(DNS|IP Address):/g, '')

function isSignedBy(certificate: X509Certificate, file: string): boolean {
  try {
    return certificate.verify(new X509Certificate(readFileSync(file)).publicKey)
  } catch {
    return false
  }
}

function authority(file: string, now: number): Finding {
  const check = 'authority'
  try {
    const found = new X509Certificate(readFileSync(file))
    const days = (Date.parse(found.validTo) - now) / dayMs
    const text = `SHA-256 ${sha256Of(found)}, until ${at(found.validTo)}`
    if (days <= 0)
      return failed(
        check,
        `${text}: it has ended, no agent is let in`,
        'a new authority: stop the hub, remove the folder tls of the data folder, start it, and join every server again',
      )
    return days < 365
      ? warning(
          check,
          text,
          'plan a new authority: every server has to join again (docs/security.md)',
        )
      : fine(check, text)
  } catch (error) {
    return unreadable(check, file, error as NodeJS.ErrnoException)
  }
}
