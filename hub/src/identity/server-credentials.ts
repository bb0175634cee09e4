import { createPrivateKey, X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import { loopbackNames } from '../loopback.ts'
import type { Authority } from './authority.ts'
import { readIfThere, readSecret, writeSecret } from './secret-files.ts'
import type { Credentials } from './x509.ts'

export type ServerCredentials = Awaited<ReturnType<typeof openServerCredentials>>

type Options = {
  readonly authority: Authority
  readonly folder: string | undefined
  /** What the hub is called by; empty takes this machine's names and addresses. */
  readonly names: readonly string[]
  readonly days: number
  /** A certificate that the operator brings: a chain in PEM, and its key. */
  readonly given?: { readonly certificateFile: string; readonly keyFile: string } | undefined
  readonly now: () => number
  readonly log: Log
}

/** By what names this machine may be reached, the one to show to people first. */
export function machineNames(): string[] {
  const addresses = Object.values(interfaces()).flatMap((all) =>
    (all ?? []).filter(({ internal, scopeid }) => !internal && !scopeid),
  )
  const name = hostname().toLowerCase()
  const dns = /^[a-z0-9.-]{1,253}$/.test(name) ? [name] : []
  return [...new Set([...dns, ...addresses.map(({ address }) => address), ...loopbackNames])]
}

/** None where the system does not tell, as in a service without AF_NETLINK: the name alone is enough to start with. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces()
  } catch {
    return {}
  }
}

/** With what the hub proves who it is, over HTTPS and MQTT alike. It is replaced while connections go on. */
export async function openServerCredentials(options: Options) {
  const { authority, folder, given, now, log } = options
  const listeners = new Set<() => void>()
  const file = folder && join(folder, 'server.pem')
  let problem: string | undefined
  let stamp = ''
  let current = given ? readGiven(given) : await ownOrNew()

  function wantedNames(): readonly string[] {
    // Programs of this machine reach the hub over loopback, whatever it is called elsewhere.
    return options.names.length > 0
      ? [...new Set([...options.names, ...loopbackNames])]
      : machineNames()
  }

  async function ownOrNew(): Promise<Credentials> {
    const kept = file && readIfThere(file)
    if (file && kept && isFresh(kept)) {
      const pem = readSecret(file)
      return { key: pem, certificate: pem }
    }
    const made = await authority.signServer(wantedNames(), options.days)
    // The authority's own certificate goes along: a joining agent compares its fingerprint.
    const certificate = made.certificate + authority.certificate
    if (file) writeSecret(file, made.key + certificate)
    return { key: made.key, certificate }
  }

  /** Of our authority, for the names we have, and not yet in the last third of its life. */
  function isFresh(pem: string): boolean {
    try {
      const certificate = new X509Certificate(pem)
      const from = Date.parse(certificate.validFrom)
      const until = Date.parse(certificate.validTo)
      const names = new Set(
        (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^[^:]+:/, '')),
      )
      return (
        authority.signed(certificate) &&
        now() >= from &&
        now() < until - (until - from) / 3 &&
        wantedNames().every((name) => names.has(name) || names.has(longForm(name)))
      )
    } catch {
      return false
    }
  }

  function readGiven({ certificateFile, keyFile }: NonNullable<Options['given']>): Credentials {
    stamp = stampOf(certificateFile, keyFile)
    const certificate = readIfThere(certificateFile)
    if (certificate === undefined) throw new Error(`${certificateFile}: there is no such file`)
    const key = readSecret(keyFile)
    const parsed = new X509Certificate(certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(key))) {
      throw new Error(`${keyFile} is not the key of the certificate in ${certificateFile}`)
    }
    return { key, certificate }
  }

  async function renewed(): Promise<Credentials | undefined> {
    if (!given) return isFresh(current.certificate) ? undefined : ownOrNew()
    return stampOf(given.certificateFile, given.keyFile) === stamp ? undefined : readGiven(given)
  }

  return {
    current: (): Credentials => current,
    /** The certificate itself, without those that vouch for it. */
    leaf: (): string => new X509Certificate(current.certificate).toString(),
    /** Days until the certificate in use ends. */
    daysLeft: (): number =>
      (Date.parse(new X509Certificate(current.certificate).validTo) - now()) / 86_400_000,
    problem: () => problem,
    /** Calls back whenever another certificate is in use. */
    onChange: (listener: () => void) => void listeners.add(listener),
    /** Takes a new certificate when one is due or was brought. Never throws: the present one goes on. */
    async refresh(): Promise<void> {
      try {
        const next = await renewed()
        problem = undefined
        if (!next) return
        current = next
        for (const listener of listeners) listener()
        const { validTo } = new X509Certificate(next.certificate)
        log.info({ until: validTo }, 'the hub has a new certificate; connections go on')
      } catch (error) {
        const reason = (error as Error).message
        if (reason !== problem) log.error({ reason }, 'the certificate of the hub is not renewed')
        problem = reason
      }
    },
  }
}

/** OpenSSL writes IPv6 addresses in full and in capitals. */
const longForm = (name: string): string => {
  if (!name.includes(':')) return name
  const [head = '', tail] = name.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const middle = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...middle, ...right]
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
    .toUpperCase()
}

const stampOf = (...files: string[]): string =>
  files
    .map((file) => {
      const { mtimeMs, ino, size } = statSync(file)
      return `${mtimeMs} ${ino} ${size}`
    })
    .join(', ')
