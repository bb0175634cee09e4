import { inflate } from 'node:zlib'
import { promisify } from 'node:util'
import { Compile } from 'typebox/compile'
import {
  type AgentReadings,
  checkSample,
  InventorySchema,
  type Sample,
  StatusSchema,
} from '@harbinger/shared/sample'
import { contractMismatch } from '@harbinger/shared/version'

const inflateAsync = promisify(inflate)
const CheckedStatus = Compile(StatusSchema)
const CheckedInventory = Compile(InventorySchema)

/** Bytes a message may have: a sample is 250, a backlog of a thousand 40,000. */
export const limits = { sample: 64 * 1024, backlog: 1024 * 1024, inflated: 16 * 1024 * 1024 }

export type Refusal = {
  readonly reason: string
  readonly detail: string
  readonly seq?: number | undefined
}

export type SamplesRead = {
  readonly samples: readonly Sample[]
  readonly refused: readonly Refusal[]
  readonly unknownReadings: number
  /** An array is sent when catching up; one object is live. */
  readonly catchUp: boolean
  /** What the agent says of itself, the newest of it. */
  readonly agent?: AgentReadings | undefined
}

const refuse = (reason: string, detail: string) => ({ refused: [{ reason, detail }] }) as const
const nothing = { samples: [], unknownReadings: 0, catchUp: false } as const

/** What a message on the samples topic says. Never throws: nonsense from outside is a value. */
export function readSamples(payload: Uint8Array, now: number): SamplesRead {
  if (payload.length > limits.sample) {
    return {
      ...nothing,
      ...refuse('too_large', `${payload.length} bytes, at most ${limits.sample}`),
    }
  }
  return readText(payload, now, false)
}

/** What a message on the backlog topic says: a JSON array, deflated (zlib). */
export async function readBacklog(payload: Uint8Array, now: number): Promise<SamplesRead> {
  if (payload.length > limits.backlog) {
    return {
      ...nothing,
      ...refuse('too_large', `${payload.length} bytes, at most ${limits.backlog}`),
    }
  }
  try {
    const text = await inflateAsync(payload, { maxOutputLength: limits.inflated })
    return readText(text, now, true)
  } catch (error) {
    return { ...nothing, ...refuse('not_deflated', (error as Error).message) }
  }
}

function readText(text: Uint8Array, now: number, catchUp: boolean): SamplesRead {
  const message = parseJson(text)
  if (message === undefined) return { ...nothing, ...refuse('not_json', preview(text)) }
  const list = Array.isArray(message) ? (message as readonly unknown[]) : [message]
  const samples: Sample[] = []
  const refused: Refusal[] = []
  let unknownReadings = 0
  let agent: AgentReadings | undefined
  for (const item of list) {
    const verdict = checkSample(item, now)
    if ('sample' in verdict) {
      samples.push(verdict.sample)
      unknownReadings += verdict.unknownReadings
      agent = verdict.agent ?? agent
    } else refused.push({ reason: verdict.rejected, detail: verdict.detail, seq: seqOf(item) })
  }
  return { samples, refused, unknownReadings, catchUp: catchUp || Array.isArray(message), agent }
}

/** What a message on the status topic says. */
export function readStatus(payload: Uint8Array) {
  const message = payload.length > limits.sample ? undefined : parseJson(payload)
  if (!CheckedStatus.Check(message)) return refuse('not_a_status', preview(payload))
  const mismatch = contractMismatch(message.v)
  return mismatch ? refuse('contract_version', mismatch) : { status: message }
}

/** What a message on the inventory topic says. */
export function readInventory(payload: Uint8Array) {
  const message = payload.length > limits.sample ? undefined : parseJson(payload)
  return CheckedInventory.Check(message)
    ? { inventory: message }
    : refuse('not_an_inventory', preview(payload))
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    return undefined
  }
}

/** The number of a sample that is otherwise refused, so that its agent need not keep it. */
function seqOf(item: unknown): number | undefined {
  const seq = (item as { seq?: unknown } | null)?.seq
  return Number.isSafeInteger(seq) && (seq as number) >= 0 ? (seq as number) : undefined
}

const preview = (payload: Uint8Array): string =>
  JSON.stringify(Buffer.from(payload.subarray(0, 80)).toString('utf8'))
