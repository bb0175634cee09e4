import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { renewalStatement } from '@harbinger/shared/enrolment'
import type { Enrolled } from '@harbinger/shared/enrolment-api'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { keyIn, writeCredential } from './credential-files.ts'

const hourMs = 3_600_000

export type Renewal = ReturnType<typeof openRenewal>

type Options = {
  readonly server: string
  /** Where the hub gives certificates. */
  readonly renewalUrl: string
  readonly identityFile: string
  readonly caFile: string | undefined
  /** 0 to 1, this server's place among all, so that a fleet that joined at once does not renew at once. */
  readonly phase: number
  readonly clock: Clock
  readonly log: Log
  readonly onRenewed: () => void
}

/** When a certificate is renewed: in the last third of its life, which leaves a month for trying again. */
export const dueAt = (from: number, until: number, phase: number): number =>
  from + (until - from) * (2 / 3 + phase / 12)

/** Renews the agent's certificate in time, with a new key; the hub hears it with the old one meanwhile. */
export function openRenewal(options: Options) {
  const { server, renewalUrl, identityFile, caFile, phase, clock, log, onRenewed } = options
  let cancel = () => {}
  let closed = false
  let told: string | undefined

  function plan(): void {
    let wait = hourMs
    try {
      const { until } = lifeOf(readFileSync(identityFile, 'utf8'))
      wait = Math.min(hourMs, Math.max(1_000, (until - clock.now()) / 24))
    } catch {
      // Said when it is due.
    }
    if (!closed) cancel = clock.after(wait, () => void check().then(plan))
  }

  async function check(): Promise<void> {
    try {
      const present = readFileSync(identityFile, 'utf8')
      const { from, until } = lifeOf(present)
      if (clock.now() < dueAt(from, until, phase)) return
      const next = await renew(present)
      if (closed) return
      writeCredential(identityFile, next)
      told = undefined
      log.info({ until: new Date(lifeOf(next).until).toISOString() }, 'certificate renewed')
      onRenewed()
    } catch (error) {
      const reason = (error as Error).message
      if (reason !== told) log.error({ reason }, 'the certificate is not renewed; trying again')
      told = reason
    }
  }

  async function renew(present: string): Promise<string> {
    // Both cost memory that an agent need not have for the two months between.
    const { askHub } = await import('./ask-hub.ts')
    const { newKey, signingRequest } = await import('./signing-request.ts')
    const key = newKey()
    const request = signingRequest(key, server)
    const statement = Buffer.from(renewalStatement(request))
    const enrolled = await askHub<Enrolled>(new URL(renewalUrl), '/api/v1/enroll/renew', {
      body: {
        certificate: new X509Certificate(present).toString(),
        request,
        signature: sign(
          'sha256',
          statement,
          createPrivateKey(keyIn(present, identityFile)),
        ).toString('base64'),
      },
      trust: caFile === undefined ? 'system' : { ca: readFileSync(caFile, 'utf8') },
    })
    const made = new X509Certificate(enrolled.certificate)
    if (!made.checkPrivateKey(createPrivateKey(key))) {
      throw new Error(`the hub at ${renewalUrl} answered with a certificate of another key`)
    }
    return key + enrolled.certificate
  }

  plan()
  return {
    close(): void {
      closed = true
      cancel()
    },
  }
}

function lifeOf(pem: string): { from: number; until: number } {
  const { validFrom, validTo } = new X509Certificate(pem)
  return { from: Date.parse(validFrom), until: Date.parse(validTo) }
}
