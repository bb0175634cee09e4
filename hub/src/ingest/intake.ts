import { serverKey } from '@harbinger/shared/server'
import type { agentTopicKinds } from '@harbinger/shared/topics'
import type { Kept, Message } from '../storage/keep-messages.ts'
import { groupCommit } from './group-commit.ts'
import { readBacklog, readInventory, readSamples, readStatus } from './read-message.ts'
import type { Session } from './sessions.ts'
import { wireMeter } from './wire-meter.ts'

export type IntakeLog = {
  readonly error: (fields: object, text: string) => void
  readonly warn: (fields: object, text: string) => void
  readonly info: (fields: object, text: string) => void
}

export type IntakeOptions = {
  readonly now: () => number
  /** One transaction; throws when storage fails, and then the agents send again. */
  readonly keep: (group: readonly Message[]) => Kept
  readonly onKept: (kept: Kept) => void
  /** Tells an agent up to which number everything is committed. */
  readonly acknowledge: (server: string, payload: string) => void
  readonly log: IntakeLog
}

/** What an agent said: whose it is, and which of the topics it came on. */
export type Heard = {
  readonly server: string
  readonly kind: (typeof agentTopicKinds)[number]
  /** Said before the hub listened, and kept by the broker. */
  readonly retained?: boolean
}

export type Intake = ReturnType<typeof openIntake>

/** The way of a message from any broker into storage: read, quarantined or kept in a group, committed, acknowledged. */
export function openIntake({ now, keep, onKept, acknowledge, log }: IntakeOptions) {
  const counters = {
    messages: 0,
    samplesStored: 0,
    samplesDuplicate: 0,
    quarantined: 0,
    foreignTopics: 0,
    storageFailures: 0,
    takeovers: 0,
    /** Of a second agent of a name that lives. */
    notKept: 0,
  }
  /** When each agent was heard last, kept or not: a disk that is full makes nobody offline. */
  const heardAt = new Map<string, number>()
  const wire = wireMeter(now)
  let failing = false
  let lagMs: number | undefined

  const commits = groupCommit<Message, Kept>((group) => {
    const kept = keepOrSay(group)
    for (const [server, upTo] of kept.upTo) {
      const payload = JSON.stringify({ upTo })
      wire.acknowledgement(server, payload.length)
      acknowledge(server, payload)
    }
    counters.samplesStored += kept.stored
    counters.samplesDuplicate += kept.duplicates
    counters.quarantined += kept.quarantined
    lagMs = now() - group[0]!.arrivedAt
    onKept(kept)
    return kept
  })

  function keepOrSay(group: readonly Message[]): Kept {
    try {
      const kept = keep(group)
      if (failing) log.info({}, 'storage works again; agents are sending what they kept')
      failing = false
      return kept
    } catch (error) {
      counters.storageFailures++
      if (!failing)
        log.error({ err: error }, 'storage failed; agents keep their samples and send again')
      failing = true
      throw error
    }
  }

  const add = async (session: Session, message: Message): Promise<void> => {
    if (session.broken) throw new Error('an earlier message of this connection was not stored')
    try {
      await commits.add(message)
    } catch (error) {
      // A broker between agent and hub cannot be made to send again: there the agent finds out by itself.
      session.broken = session.inOrder
      throw error
    }
  }

  const addSamples = (
    session: Session,
    read: { server: string; arrivedAt: number; first: boolean } & ReturnType<typeof readSamples>,
  ): Promise<void> => {
    const numbered = read.samples.length > 0 || read.refused.some(({ seq }) => seq !== undefined)
    // Nonsense begins nothing: the next message is the first.
    if (read.first && !numbered) session.begun.delete(serverKey(read.server))
    const inOrder = session.inOrder && !session.exact.has(serverKey(read.server))
    return add(session, { kind: 'samples', ...read, inOrder })
  }

  /** Decided when a message arrives: a backlog takes longer to read than the live sample behind it. */
  const isFirst = (session: Session, server: string): boolean => {
    const key = serverKey(server)
    if (session.begun.has(key)) return false
    session.begun.add(key)
    return true
  }

  return {
    counters,
    /** What live samples take on the wire. */
    wire,
    waiting: commits.waiting,
    flush: commits.flush,
    isFailing: (): boolean => failing,
    lagMs: (): number | undefined => lagMs,
    /** When anything of this agent was heard last, since the hub started. */
    heardAt: (server: string): number | undefined => heardAt.get(serverKey(server)),
    /** A word that is no message. */
    noteHeard: (server: string): void => void heardAt.set(serverKey(server), now()),

    /** Settles when the message is committed; rejects when storage fails. */
    take(
      session: Session,
      { server, kind, retained = false }: Heard,
      payload: Uint8Array,
    ): Promise<void> {
      const arrivedAt = now()
      const heading = { server, arrivedAt }
      const isOfNow = (): void => void (retained || heardAt.set(serverKey(server), arrivedAt))
      if (kind !== 'status') isOfNow()
      if (kind === 'samples') {
        const first = isFirst(session, server)
        const read = readSamples(payload, arrivedAt)
        if (!read.catchUp && read.samples.length === 1) {
          // As it stands in the message: without braces, with a comma.
          const own = read.agent ? JSON.stringify(read.agent).length - 1 : 0
          wire.sample(server, payload.length, own)
        }
        return addSamples(session, { ...heading, first, ...read })
      }
      if (kind === 'backlog') {
        const first = isFirst(session, server)
        const kept = session.tail.then(async () =>
          addSamples(session, { ...heading, first, ...(await readBacklog(payload, arrivedAt)) }),
        )
        session.tail = kept.catch(() => {})
        return kept
      }
      const read = kind === 'status' ? readStatus(payload) : readInventory(payload)
      if ('status' in read) {
        if (read.status.oldest !== undefined) session.exact.add(serverKey(server))
        if (read.status.state === 'online') isOfNow()
        return add(session, { kind: 'status', retained, ...heading, ...read })
      }
      if ('inventory' in read) return add(session, { kind: 'inventory', ...heading, ...read })
      return add(session, { kind: 'refused', ...heading, ...read })
    },
  }
}
