import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Spooled } from './segment.ts'
import type { Spool } from './spool.ts'

export type Replay = ReturnType<typeof replayOf>

type Options = {
  readonly nextSeq: () => number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Pick<Log, 'info' | 'debug'>
  /** Sends one message of the backlog; settles when the broker has it. */
  readonly send: (payload: Buffer) => Promise<unknown>
  /** Tells the hub that no sample older than this one will come. */
  readonly sayOldest: (seq: number) => void
  readonly batch?: number
}

/** One message of the backlog: about 15 kB, so that a live sample waits behind it for milliseconds. */
const backlogBatch = 500
/** A hub that commits answers within milliseconds; what it has not answered for so long it may never have seen. */
const silenceMs = 30_000
/** A hub that is slow is not helped by hearing everything again and again. */
const longestSilenceMs = 5 * 60_000

/** What is on its way to the hub in one go: everything up to `end`. */
type Run = {
  readonly end: number
  /** The batch that the hub is to acknowledge next. */
  waits?: { readonly last: number; readonly since: number; readonly go: () => void }
}

/**
 * Brings the samples that the hub may lack to it beside the live ones: oldest first, one batch at a time, each a JSON
 * array deflated in zlib's format (RFC 1950). The next one goes when the hub has committed the one before, however
 * soon the broker took it: a broker between them takes everything and drops what a slow hub does not fetch in time.
 */
export function replayOf(
  spool: Pick<Spool, 'first' | 'oldest' | 'last'>,
  { nextSeq, clock, log, send, sayOldest, batch = backlogBatch }: Options,
) {
  let run: Run | undefined
  /** The greatest number that the hub was told of in this connection. */
  let said = -1
  /** The oldest sample it has not acknowledged, and since when. */
  let stuck: { readonly seq: number; readonly since: number } | undefined
  let patienceMs = silenceMs

  const oldestKept = (): number => spool.oldest() ?? nextSeq()

  function say(oldest: number) {
    if (oldest === said) return
    said = oldest
    sayOldest(oldest)
  }

  function start() {
    const end = spool.last()
    stuck = undefined
    if (end === undefined || spool.oldest() === undefined) return
    const own: Run = { end }
    run = own
    sendBatches(own).catch((error: Error) => {
      log.debug({ reason: error.message }, 'backlog interrupted')
      if (run === own) run = undefined
    })
  }

  async function sendBatches(own: Run) {
    for (;;) {
      const samples = (await spool.first(batch)).filter(({ seq }) => seq <= own.end)
      if (run !== own) return
      if (samples.length === 0) break
      // Numbers before it that the hub still waits for were dropped, or never used.
      say(samples[0]!.seq)
      const payload = await deflated(`[${samples.map(({ json }) => json).join(',')}]`)
      if (run !== own) return
      const committed = untilCommitted(own, samples)
      await send(payload)
      await committed
      if (run !== own) return
    }
    run = undefined
  }

  const untilCommitted = (own: Run, samples: readonly Spooled[]): Promise<void> =>
    new Promise((go) => {
      own.waits = { last: samples.at(-1)!.seq, since: clock.monotonicMs(), go }
    })

  function sendAgain(upTo: number) {
    // What it was told may be among what it has not seen.
    said = -1
    patienceMs = Math.min(longestSilenceMs, patienceMs * 2)
    log.info({ from: upTo + 1 }, 'the hub has not seen everything; samples are sent again')
  }

  return {
    /** A connection is there: nothing is known of what the hub got from the one before. */
    begin() {
      said = -1
      patienceMs = silenceMs
      say(oldestKept())
      start()
    },
    stop() {
      const waits = run?.waits
      run = undefined
      waits?.go()
    },
    /** A sample goes out by itself. */
    onLive(seq: number) {
      stuck ??= { seq, since: clock.monotonicMs() }
    },
    /** After the spool has forgotten what is acknowledged. An answer, whatever it says, shows that the hub is there. */
    onAck(upTo: number) {
      const now = clock.monotonicMs()
      const oldest = spool.oldest()
      // The hub stands before numbers that do not exist: skipped by a crash, or dropped.
      if (upTo + 1 < oldestKept()) say(oldestKept())
      if (run) {
        const { waits } = run
        if (!waits) return
        const isCommitted = oldest === undefined || oldest > waits.last
        const isLost = !isCommitted && now - waits.since > patienceMs
        if (isLost) sendAgain(upTo)
        if (isCommitted) patienceMs = silenceMs
        if (isCommitted || isLost) waits.go()
      } else if (oldest === undefined) {
        stuck = undefined
        patienceMs = silenceMs
      } else if (stuck?.seq !== oldest) stuck = { seq: oldest, since: now }
      else if (now - stuck.since > patienceMs) {
        sendAgain(upTo)
        start()
      }
    },
  }
}

/** zlib is loaded when there is a backlog for the first time: 1.5 MB that most agents never need. */
async function deflated(text: string): Promise<Buffer> {
  const { deflate } = await import('node:zlib')
  return new Promise((resolve, reject) =>
    deflate(text, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  )
}
