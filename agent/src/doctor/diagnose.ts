import { failed, type Finding, notChecked } from '@harbinger/shared/findings'
import { readSettings } from './read-settings.ts'
import type { Clock } from '../clock.ts'
import { type Config, noHub } from '../config.ts'
import { fetchAuthority } from '../join/ask-hub.ts'
import { askClockAndContract, askEnrolment, type HubSide } from './ask-hub-side.ts'
import { goToWeb, judgeHub, judgeWeb, lookAtHub, type Seen } from './examine-hub.ts'
import { examineProc } from './examine-proc.ts'
import { examineService } from './examine-service.ts'
import { examineState } from './examine-state.ts'
import { shakeHands } from './handshake.ts'
import { inTime } from './in-time.ts'
import { examinePapers, type Held } from './papers.ts'
import { stepMs } from './reach.ts'

export type Asked = {
  /** The file of settings, when one is named. */
  readonly file?: string | undefined
  readonly env?: { readonly [name: string]: string | undefined }
  /** A hub that is still to be joined, and the fingerprint of the line. */
  readonly hub?: string | undefined
  readonly caSha256?: string | undefined
}

/** Whatever hangs: so long at most, with all that was found out until then. */
const longestMs = 13_000

/**
 * Everything that must be so for this agent to do its work, in the order in which one would look. It reads, and writes
 * nothing that stays; the live agent notices nothing of it.
 */
export async function diagnose(asked: Asked, clock: Clock): Promise<Finding[]> {
  const { findings, config, file } = await readSettings(asked)
  if (!config) {
    const rest = ['service', 'certificate', 'hub port', 'clock', 'contract', 'state folder', 'proc']
    return [...findings, ...rest.map((check) => notChecked(check, 'the settings have mistakes'))]
  }
  const bounded = <Value>(what: string, work: Promise<Value>, late: (finding: Finding) => Value) =>
    inTime(work, {
      ms: longestMs,
      late: late(notChecked(what, `it took longer than ${longestMs / 1000} s`)),
      clock,
    })
  const isBefore = isBeforeJoining(asked.hub, config)
  const [hub, state, proc] = await Promise.all([
    bounded('hub', examineHubs(config, { ...asked, file }, clock), (late) => [late]),
    bounded('state folder', examineState(config, clock), (late) => [late]),
    bounded('proc', examineProc(config, clock), (late) => [late]),
  ])
  const service = isBefore
    ? [notChecked('service', 'this server has not joined a hub yet')]
    : examineService(config, clock.now())
  return [...findings, ...service, ...hub, ...state, ...proc]
}

/** A hub is joined over HTTPS alone; in the clear there is nothing to join, and its address only says whom to ask. */
const isBeforeJoining = (asked: string | undefined, { hub, identityFile }: Config): boolean =>
  hub === noHub || (asked?.startsWith('https:') === true && identityFile === undefined)

const notJoined = failed(
  'hub',
  'this server has joined none yet',
  'run here as root the line that harbinger token create prints on the hub',
)

/** The certificate, the way to both sides of the hub, its clock and contract, and whether it lets this agent in. */
async function examineHubs(
  config: Config,
  { file, hub: asked, caSha256 }: Asked & { readonly file: string },
  clock: Clock,
): Promise<Finding[]> {
  const own = examinePapers(config, clock.now())
  const isBefore = isBeforeJoining(asked, config)
  const web = asked ?? config.renewalUrl
  const url = web === undefined ? undefined : readWeb(web)
  if (typeof url === 'string')
    return [failed('hub web address', url, 'give it as https://HUB:8443')]
  const [seen, { seenWeb, side, held, finding }] = await Promise.all([
    isBefore ? undefined : lookAtHub(config.hub, own),
    lookAtWeb(own, { url, caSha256, clock }),
  ])
  const judged = { now: clock.now(), skewMs: side?.skewMs, file }
  const way = seen
    ? judgeHub(seen, { held: own, ...judged })
    : [notChecked('hub port', 'this server has not joined a hub yet')]
  const isOther = seenWeb !== undefined && seenWeb.place.host !== seen?.place.host
  const ways = seenWeb ? judgeWeb(seenWeb, { held, ...judged }, isOther) : []
  const isReached = ways.length > 0 && ways.every(({ ok }) => ok === true)
  return [
    ...(isBefore ? (asked === undefined ? [notJoined] : []) : own.findings),
    ...(finding ? [finding] : []),
    ...way,
    ...ways,
    ...(await enrolmentOf(config, { url, held: own, isReached })),
    ...clockAndContract(side, url),
  ]
}

type Web = {
  readonly seenWeb?: Seen
  readonly side?: HubSide
  /** What the web side is verified with. */
  readonly held: Held
  readonly finding?: Finding | undefined
}

/** Step by step, and none before the one it needs: a look-up of a name that is lost may hang for long. */
async function lookAtWeb(
  own: Held,
  { url, caSha256, clock }: { url: URL | undefined; caSha256: string | undefined; clock: Clock },
): Promise<Web> {
  if (!url) return { held: own }
  const way = await goToWeb(url)
  if (way.reached !== 'open') return { seenWeb: way, held: own }
  const { held, finding } = await trustOf(own, { url, caSha256, clock })
  const [shaken, side] = await Promise.all([
    url.protocol === 'https:' ? shakeHands(way.place, { ca: held.ca }) : undefined,
    askClockAndContract(url, held, clock),
  ])
  if (url.protocol === 'http:' && side.contract.ok === null) {
    // A web server of TLS ends what it does not understand without a word.
    const secure = await shakeHands(way.place, { ca: held.ca })
    if ('chain' in secure) return { seenWeb: way, side, held, finding: speaksTls(url) }
  }
  return { seenWeb: { ...way, ...(shaken && { shaken }) }, side, held, finding }
}

const speaksTls = (url: URL): Finding =>
  failed(
    'hub web address',
    `${url.host} speaks TLS, and the address says ${url.protocol}//`,
    `give it as https://${url.host}, with the --ca-sha256 of the line that harbinger token create prints`,
  )

function readWeb(text: string): URL | string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.username === '') return url
  return `${url ? `${url.protocol}//${url.host}` : JSON.stringify(text)} is no address of a fleet view`
}

/** With a fingerprint, whoever shows the authority of that fingerprint; else what the agent trusts anyway. */
async function trustOf(
  own: Held,
  { url, caSha256, clock }: { url: URL | undefined; caSha256: string | undefined; clock: Clock },
): Promise<{ held: Held; finding?: Finding }> {
  if (caSha256 === undefined || url?.protocol !== 'https:') return { held: own }
  const sha256 = caSha256.replaceAll(':', '').toLowerCase()
  try {
    const shown = fetchAuthority(url, sha256)
    const ca = await inTime(shown, { ms: stepMs, late: undefined, clock })
    if (ca === undefined) return { held: own }
    return { held: { ...own, ca, trusted: { by: 'the fingerprint', sha256 } } }
  } catch (error) {
    const { message } = error as Error
    // What keeps it from being reached is found out step by step.
    if (!/is not the hub of this line/.test(message)) return { held: own }
    const finding = failed(
      'fingerprint',
      message,
      'copy the line again: harbinger token create on the hub; if it says the same, find out who answers at that address before you join',
    )
    return { held: own, finding }
  }
}

async function enrolmentOf(
  { identityFile }: Config,
  at: { url: URL | undefined; held: Held; isReached: boolean },
): Promise<Finding[]> {
  if (identityFile === undefined) return []
  const check = 'enrolment'
  if (!at.url) return [notChecked(check, 'renewalUrl is not set: joining writes it')]
  if (!at.isReached)
    return [notChecked(check, 'the web side of the hub is not reached, or did not prove who it is')]
  return [await askEnrolment(at.url, at.held)]
}

function clockAndContract(side: HubSide | undefined, url: URL | undefined): Finding[] {
  if (side) return [side.clock, side.contract]
  const because = url
    ? 'the web side of the hub cannot be reached'
    : 'the agent has not joined and does not know the web side of the hub'
  const advice = url ? '' : 'harbinger-agent doctor http://HUB:8080 asks it'
  return [notChecked('clock', because, advice), notChecked('contract', because)]
}
