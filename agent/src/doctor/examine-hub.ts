import { isIP } from 'node:net'
import { failed, type Finding, notChecked } from '@harbinger/shared/findings'
import { readHubUrl } from '../publish/connection.ts'
import { type Handshake, shakeHands } from './handshake.ts'
import { judgeCertificate } from './judge-certificate.ts'
import type { Held } from './papers.ts'
import { type Greeted, greetBroker, judgeGreeting } from './plain-mqtt.ts'
import { withoutSecrets } from './without-secrets.ts'
import {
  findAddress,
  judgeAddress,
  judgeName,
  judgePort,
  type Named,
  type Place,
  type Reached,
  reachPort,
} from './reach.ts'

/** What was seen of a hub on one of its ports; later parts are absent when an earlier one failed. */
export type Seen = {
  readonly url: string
  readonly place: Place
  readonly named: Named
  readonly reached?: Reached
  readonly shaken?: Handshake
  readonly greeted?: Greeted
}

/** Goes the way to where agents are heard, as far as it leads, and disturbs nobody there. */
export async function lookAtHub(url: string, held: Held): Promise<Seen> {
  const { host, port, secure } = readHubUrl(url)!
  const seen = await goTo(withoutSecrets(url), { host, port })
  if (seen.reached !== 'open') return seen
  if (!secure) return { ...seen, greeted: await greet(seen.place, held) }
  return { ...seen, shaken: await shakeHands(seen.place, held, { waitForHangUp: true }) }
}

/** A port of TLS ends what it does not understand, some with an alert and some without a word. */
async function greet(place: Place, held: Held): Promise<Greeted> {
  const greeted = await greetBroker(place)
  if (!('heard' in greeted) || greeted.heard !== 'the end') return greeted
  const shaken = await shakeHands(place, held)
  return 'chain' in shaken ? { heard: 'tls' } : greeted
}

/** The way to where the fleet view is, which also gives certificates; its TLS is for later. */
export function goToWeb(url: URL): Promise<Seen> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return goTo(url.origin, { host, port })
}

async function goTo(url: string, place: Place): Promise<Seen> {
  const named = await findAddress(place.host)
  if ('code' in named) return { url, place, named }
  return { url, place, named, reached: await reachPort(place) }
}

type Judged = {
  readonly held: Held
  readonly now: number
  readonly skewMs: number | undefined
  readonly file: string
}

/** The findings on the port for agents, in the order of the way there. */
export function judgeHub(seen: Seen, { held, now, skewMs, file }: Judged): Finding[] {
  const { url, place, named, reached, shaken, greeted } = seen
  const secure = new URL(url).protocol === 'mqtts:'
  const last = secure ? 'hub certificate' : 'broker'
  const first = [
    judgeAddress('hub address', url, place),
    ...(isIP(place.host)
      ? []
      : [judgeName('hub name', place.host, named, `${file} (hub: ${url})`)]),
  ]
  if (reached === undefined) {
    return [
      ...first,
      ...['hub port', last].map((check) => notChecked(check, 'the name leads nowhere')),
    ]
  }
  const port = judgePort('hub port', place, reached, { listens: 'mqtt.host: 0.0.0.0' })
  if (greeted) return [...first, port, judgeGreeting(last, place, greeted)]
  if (!shaken) return [...first, port, notChecked(last, 'the port cannot be reached')]
  return [...first, port, ...judgeShaken(last, seen, shaken, { held, now, skewMs })]
}

function judgeShaken(
  check: string,
  { place, url }: Seen,
  shaken: Handshake,
  { held, now, skewMs }: Omit<Judged, 'file'>,
): Finding[] {
  const { host, port } = place
  if ('isWeb' in shaken && shaken.isWeb) {
    return [
      failed(
        check,
        `${host}:${port} is the fleet view (it speaks HTTPS), not where agents are heard`,
        `set hub in the settings to where agents are heard: usually mqtts://${host}:8883. Joining writes it: harbinger token create on the hub prints the line`,
      ),
    ]
  }
  const shown = judgeCertificate(check, shaken, { host, port, trusted: held.trusted, now, skewMs })
  if (shown.ok !== true || !('hungUp' in shaken) || shaken.hungUp === undefined) return [shown]
  return [
    shown,
    failed(
      'handshake',
      held.identity === undefined
        ? `${url} asks for a certificate, and this agent has none that can be used (${shaken.hungUp})`
        : `${url} does not take the certificate of this agent (${shaken.hungUp})`,
      held.identity === undefined
        ? 'on the hub, harbinger token create prints a line; run it here as root'
        : 'it is of another hub, or of an authority that this one no longer has. Join again: on the hub, harbinger token create --allow-rejoin, and run the line it prints here as root',
    ),
  ]
}

/** The findings on the web side. It is the same machine most of the time, so only what is wrong is said at length. */
export function judgeWeb(
  seen: Seen,
  { held, now, skewMs, file }: Judged,
  isOwnName: boolean,
): Finding[] {
  const { url, place, named, reached, shaken } = seen
  const check = 'hub web port'
  const last = 'hub web certificate'
  const isSecure = url.startsWith('https:')
  const names =
    isOwnName && !isIP(place.host)
      ? [judgeName('hub web name', place.host, named, `${file} (renewalUrl: ${url})`)]
      : []
  if (reached === undefined) {
    return [
      ...names,
      ...[check, ...(isSecure ? [last] : [])].map((each) =>
        notChecked(each, 'the name leads nowhere'),
      ),
    ]
  }
  const port = judgePort(check, place, reached, { listens: 'http.host: 0.0.0.0' })
  if (!isSecure) return [...names, port]
  if (!shaken) return [...names, port, notChecked(last, 'the port cannot be reached')]
  const { host } = place
  if ('chain' in shaken && !shaken.isWeb) {
    return [
      ...names,
      port,
      failed(
        last,
        `${host}:${place.port} speaks TLS and not HTTPS: it is where agents are heard, not the fleet view`,
        `set renewalUrl in ${file} to where the fleet view is: usually https://${host}:8443`,
      ),
    ]
  }
  return [
    ...names,
    port,
    judgeCertificate(last, shaken, { ...place, trusted: held.trusted, now, skewMs }),
  ]
}

export const usable = (findings: readonly Finding[]): boolean =>
  findings.every(({ ok }) => ok === true)
