import { lostReason } from '@harbinger/shared/topics'
import { type Presence, presenceAt } from '../risk/presence.ts'
import { intervalInForce } from '../storage/interval-in-force.ts'
import type { Server } from '../storage/server-store.ts'

type Options = {
  readonly servers: Iterable<Server>
  /** When anything of this agent was heard last, since the hub started. */
  readonly heardAt: (name: string) => number | undefined
  readonly hearingSince: () => number | undefined
}

export type FleetPresence = ReturnType<typeof fleetPresence>

/** Who had not spoken for so long when the hub stopped was gone before: it is not waited for again. */
const goneBeforeMs = 2 * 60_000

/** A sample that was under way when its agent said goodbye may come after it. */
const lastWordsMs = 2_000

/** Which servers are heard, from what their agents said and when. */
export function fleetPresence({ servers, heardAt, hearingSince }: Options) {
  /** Of servers that are offline, when they were heard last: until that changes they stay so. */
  const offline = new Map<number, number>()
  const known = [...servers].filter(({ lastArrivedAt }) => lastArrivedAt >= 0)
  const stopped = known.reduce((last, { lastArrivedAt }) => Math.max(last, lastArrivedAt), -1)
  for (const server of known) {
    const { id, lastArrivedAt } = server
    const isGone =
      stopped - lastArrivedAt > Math.max(goneBeforeMs, 6 * intervalInForce(server, stopped).ms)
    if (isGone) offline.set(id, lastArrivedAt)
  }

  return (server: Server, now: number): Presence => {
    const { id, lastArrivedAt, status, statusReason, statusAt } = server
    const heard = Math.max(lastArrivedAt, heardAt(server.name) ?? -1)
    const lastWord = heard < 0 ? server.firstSeen : heard
    const presence = presenceAt({
      now,
      intervalMs: intervalInForce(server, now).pauseMs,
      samplesAt: lastArrivedAt < 0 ? undefined : lastArrivedAt,
      heardAt: lastWord,
      // A last will that comes after its agent is back says nothing of now.
      gone:
        status === 'offline' && lastWord <= statusAt + lastWordsMs
          ? { at: statusAt, goodbye: statusReason !== lostReason }
          : undefined,
      hearingSince: hearingSince(),
      wasOffline: (offline.get(id) ?? -Infinity) >= lastWord,
    })
    if (presence.state === 'offline') offline.set(id, lastWord)
    else offline.delete(id)
    return presence
  }
}
