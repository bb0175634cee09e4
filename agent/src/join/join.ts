import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Enrolled } from '@harbinger/shared/enrolment-api'
import { parseDocument } from 'yaml'
import type { Config } from '../config.ts'
import { askHub, fetchAuthority, type Trust } from './ask-hub.ts'
import { readIfThere, writeCredential } from './credential-files.ts'
import { newKey, signingRequest } from './signing-request.ts'

type Asked = {
  /** https://host:port of the hub, as the line has it. */
  readonly hub: string
  readonly token: string
  readonly caSha256: string | undefined
  /** Where the settings are written. */
  readonly configFile: string
  readonly config: Pick<Config, 'server' | 'stateDirectory'>
}

export type Joined = {
  readonly server: string
  readonly mqtt: string
  readonly until: string
  readonly configFile: string
}

/** Makes a key, buys a certificate for it with the token, and writes what the agent needs to be heard. */
export async function joinHub({
  hub: address,
  token,
  caSha256,
  configFile,
  config: { server, stateDirectory },
}: Asked): Promise<Joined> {
  const hub = readAddress(address)
  const sha256 = caSha256 === undefined ? undefined : readFingerprint(caSha256)
  const settings = readSettings(configFile)
  const folder = resolve(stateDirectory, 'tls')
  const files = { identity: join(folder, 'identity.pem'), ca: join(folder, 'ca.pem') }
  const pending = join(folder, 'joining-key.pem')

  const trust: Trust = sha256 === undefined ? 'system' : { ca: await fetchAuthority(hub, sha256) }
  // Kept until the hub has answered: asked again with the same key, it answers again instead of "used up".
  const key = readIfThere(pending) ?? newKey()
  writeCredential(pending, key)
  const enrolled = await askHub<Enrolled>(hub, '/api/v1/enroll', {
    body: { token, server, request: signingRequest(key, server) },
    trust,
  })

  writeCredential(files.identity, key + enrolled.certificate)
  if (enrolled.ca !== null) writeCredential(files.ca, enrolled.ca, 0o644)
  settings.write({
    server: enrolled.server,
    hub: enrolled.mqtt,
    renewalUrl: hub.origin,
    identityFile: files.identity,
    caFile: enrolled.ca === null ? undefined : files.ca,
    stateDirectory: resolve(stateDirectory),
    ...(enrolled.profile !== null && { profile: enrolled.profile }),
    ...(enrolled.tags.length > 0 && { tags: enrolled.tags }),
  })
  rmSync(pending, { force: true })
  const { mqtt, until } = enrolled
  return { server: enrolled.server, mqtt, until, configFile: resolve(configFile) }
}

function readAddress(text: string): URL {
  const hub = URL.canParse(text) ? new URL(text) : undefined
  if (hub?.protocol === 'https:' && hub.username === '' && hub.pathname === '/') return hub
  throw new Error(
    `expected a hub like https://hub:8443, got ${text}: a token is sent over HTTPS alone`,
  )
}

function readFingerprint(text: string): string {
  const digits = text.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(digits)) return digits
  throw new Error(`--ca-sha256: expected 64 hexadecimal digits, got ${JSON.stringify(text)}`)
}

/** The file of settings with its comments; only what joining decides is changed in it. */
function readSettings(file: string) {
  const before = readIfThere(file)
  const document = parseDocument(before ?? '')
  if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message}`)
  // Found out before a token is spent on it.
  const mode = before === undefined ? 0o644 : statSync(file).mode & 0o777
  if (before === undefined) writeCredential(file, '', mode)
  else writeFileSync(file, before)

  return {
    write(values: { readonly [key: string]: unknown }): void {
      for (const [key, value] of Object.entries(values)) {
        if (value === undefined) document.delete(key)
        else document.set(key, value)
      }
      const next = document.toString()
      if (next === readFileSync(file, 'utf8')) return
      writeCredential(file, next, mode)
    },
  }
}
