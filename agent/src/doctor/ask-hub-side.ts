import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { checkStatement } from '@harbinger/shared/enrolment'
import type { Checked } from '@harbinger/shared/enrolment-api'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import { contractMismatch, contractVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import { keyIn } from '../join/credential-files.ts'
import { askWeb, wordOf } from './ask-web.ts'
import { sha256Of } from './handshake.ts'
import { lasted } from './judge-certificate.ts'
import type { Held } from './papers.ts'

/** Beyond it the hub no longer believes the times of samples (the contract, "Sample on the wire"). */
const mostSkewMs = 5 * 60_000
/** Readings of several servers are compared; half a minute is three samples. */
const noticedSkewMs = 30_000

export type HubSide = {
  readonly skewMs: number | undefined
  readonly clock: Finding
  readonly contract: Finding
}

/**
 * What the hub's clock and contract are. Asked of whoever is there: a clock that is wrong may be why nobody can be
 * verified. Nothing of this server is told.
 */
export async function askClockAndContract(url: URL, held: Held, clock: Clock): Promise<HubSide> {
  const answer = await askWeb(url, '/api/v1/health', { ca: held.ca, isVerified: false })
  if ('problem' in answer) {
    const because = `${url.host} does not answer the question: ${answer.problem}`
    return {
      skewMs: undefined,
      clock: notChecked('clock', because),
      contract: notChecked('contract', because),
    }
  }
  // It counts whole seconds: half of one is the best guess.
  const skewMs = answer.at === undefined ? undefined : clock.now() - (answer.at + 500)
  return {
    skewMs,
    clock: judgeClock(skewMs, url.host),
    contract: judgeContract(wordOf(answer.body, 'contractVersion'), answer.status, url),
  }
}

export function judgeClock(skewMs: number | undefined, host: string): Finding {
  const check = 'clock'
  if (skewMs === undefined) return notChecked(check, `${host} does not say what time it has`)
  const side = skewMs > 0 ? 'ahead of' : 'behind'
  const size = Math.abs(skewMs)
  const found = `this server's clock is ${lasted(skewMs)} ${side} the hub's`
  const advice =
    'find out which is wrong (date -u, here and there), and set it: chronyc makestep, or timedatectl set-ntp true'
  if (size > mostSkewMs) {
    return failed(
      check,
      `${found}; from 5 minutes on ${skewMs > 0 ? 'the hub puts samples of the future aside' : 'the hub places samples by when they arrive'}`,
      advice,
    )
  }
  return size > noticedSkewMs
    ? warning(check, found, advice)
    : fine(check, size < 2_000 ? "the hub's and this server's clock agree" : found)
}

export function judgeContract(version: string | undefined, status: number, url: URL): Finding {
  const check = 'contract'
  if (version === undefined) {
    return status === 200
      ? notChecked(
          check,
          `${url.host} does not say which contract it speaks: it is no hub, or an older one`,
          `open ${url.origin} in a browser`,
        )
      : failed(
          check,
          `${url.host} answers ${status} to /api/v1/health: it is no hub, or a proxy stands before it`,
          `open ${url.origin} in a browser; give the address of the hub itself`,
        )
  }
  const mismatch = contractMismatch(version)
  if (mismatch === undefined) return fine(check, `${version} there, ${contractVersion} here`)
  const isOurs = Number(version.split('.')[0]) > Number(contractVersion.split('.')[0])
  return failed(
    check,
    mismatch,
    isOurs
      ? 'upgrade the agent: apt-get install ./harbinger-agent_VERSION_amd64.deb, or dnf upgrade ./harbinger-agent-VERSION.rpm'
      : `upgrade the hub at ${url.host} first, then the agents`,
  )
}

/** Whether the hub lets this agent in, asked over HTTPS: a second MQTT connection would push the live one off. */
export async function askEnrolment(url: URL, held: Held): Promise<Finding> {
  const check = 'enrolment'
  const { identity } = held
  if (identity === undefined)
    return notChecked(check, 'this agent has no certificate that can be used')
  const certificate = new X509Certificate(identity)
  const statement = Buffer.from(checkStatement(sha256Of(certificate)))
  const signature = sign('sha256', statement, createPrivateKey(keyIn(identity, 'identity')))
  const answer = await askWeb(url, '/api/v1/enroll/check', {
    ca: held.ca,
    body: { certificate: certificate.toString(), signature: signature.toString('base64') },
    isVerified: true,
  })
  if ('problem' in answer)
    return notChecked(check, `${url.host} does not answer the question: ${answer.problem}`)
  const said = wordOf((answer.body as { error?: unknown } | undefined)?.error, 'message')
  if (answer.status === 404)
    return notChecked(check, 'this hub is older and knows no such question')
  if (answer.status === 429) return notChecked(check, `the hub says: ${said}`)
  if (answer.status !== 200) {
    return failed(
      check,
      `the hub refuses: ${said ?? `it answers ${answer.status}`}`,
      adviceOn(said ?? ''),
    )
  }
  const { server, problem, connected } = answer.body as Checked
  if (problem !== null) return failed(check, problem, adviceOn(problem))
  return fine(
    check,
    `the hub lets ${server} in${connected === null ? '' : connected ? ' and hears it now' : '; it is not connected now'}`,
  )
}

function adviceOn(said: string): string {
  const joinAgain =
    'on the hub, harbinger token create --allow-rejoin, and run the line it prints here as root'
  if (/was revoked/.test(said)) {
    return `somebody took this agent its right; ask who (the audit log of the hub says it) before you join again: ${joinAgain}`
  }
  if (/has joined again since/.test(said)) {
    return `another machine of the same name has joined: if this one was copied from it, give it a name of its own (server in the settings) and join; else join again: ${joinAgain}`
  }
  return `join again: ${joinAgain}`
}
