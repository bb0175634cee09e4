/** Whether a server is heard. Its values are of now only while it is not offline. */
export type Presence = {
  readonly state: 'heard' | 'late' | 'offline'
  /** Why it is late or offline; null while it is heard. */
  readonly why: PresenceReason | null
  /** ms: the last word, or when its agent was stopped; null when there never was a word. */
  readonly since: number | null
}

export type PresenceReason =
  /** Nothing is heard of it. */
  | 'silent'
  /** Its agent is connected and sends no samples. */
  | 'no_samples'
  /** Its connection ended without a goodbye. */
  | 'lost'
  /** Its agent said goodbye. */
  | 'stopped'
  /** It was never measured. */
  | 'never'
  /** The hub hears nobody: it is not connected to its broker. */
  | 'hub_deaf'

export type PresenceInput = {
  readonly now: number
  /** Between two samples. */
  readonly intervalMs: number
  /** When the newest samples arrived; undefined before the first. */
  readonly samplesAt: number | undefined
  /** When anything of its agent was heard last, samples or not; the first time it was heard of, when nothing was. */
  readonly heardAt: number
  /** When its agent's connection ended; undefined while it says that it is online. */
  readonly gone: { readonly at: number; readonly goodbye: boolean } | undefined
  /** Since when the hub hears agents without a break; undefined while it hears nobody. */
  readonly hearingSince: number | undefined
  /** It was offline when last looked at, and nothing was heard since. */
  readonly wasOffline: boolean
}

/** A connection that ended may be back: an agent waits at most 10 s before it tries, a restart takes a few seconds. */
const graceMs = 25_000
/** The least time without a word before a server counts as gone, and the samples missed. */
const silenceMs = 60_000
const missedSamples = 6
/** Agents that lost their hub try again after at most 30 s. */
const comeBackMs = 30_000

/** How long a server may be silent before it is late. */
export const lateAfterMs = (intervalMs: number): number => 2 * intervalMs + 5_000

/**
 * Late or offline, and why. A crash ends the connection, which is offline after 25 s; of a cable that is pulled the
 * broker learns 23 s after the last word (the agent's keepalive), so that is offline within 55 s. A hub that has just begun to hear gives
 * everybody the time to come back.
 */
export function presenceAt(input: PresenceInput): Presence {
  const { now, intervalMs, samplesAt, heardAt, gone, hearingSince, wasOffline } = input
  const isDeaf = hearingSince === undefined
  const since = samplesAt === undefined && gone === undefined ? null : heardAt
  // Who was heard since the hub listens has come back already.
  const waits = !wasOffline && (isDeaf || heardAt < hearingSince)
  const begun = !waits ? -Infinity : isDeaf ? now : hearingSince + comeBackMs
  const isGone = gone !== undefined && (wasOffline || now - Math.max(gone.at, begun) >= graceMs)
  if (isGone) {
    return gone.goodbye
      ? { state: 'offline', why: 'stopped', since: gone.at }
      : { state: 'offline', why: 'lost', since }
  }
  const silentMs = now - Math.max(heardAt, begun)
  if (wasOffline || silentMs > Math.max(silenceMs, missedSamples * intervalMs)) {
    return { state: 'offline', why: samplesAt === undefined ? 'never' : 'silent', since }
  }
  if (now - (samplesAt ?? heardAt) <= lateAfterMs(intervalMs)) {
    return { state: 'heard', why: null, since: null }
  }
  const isHeard = gone === undefined && now - heardAt <= lateAfterMs(intervalMs)
  const why = isDeaf
    ? 'hub_deaf'
    : samplesAt === undefined
      ? 'never'
      : isHeard
        ? 'no_samples'
        : 'silent'
  return { state: 'late', why, since: samplesAt ?? null }
}
