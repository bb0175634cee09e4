import type { Episode, Similar } from '@harbinger/shared/explanation'
import { quarterCell, type Series } from '@harbinger/shared/window/series'
import { metricNames } from '@harbinger/shared/metrics'
import type { Log } from '../../log.ts'
import type { QuarterRollup } from '../../storage/rollup-store.ts'
import type { Server } from '../../storage/server-store.ts'
import { inSlices } from '../../window/slices.ts'
import { episodeHours, followedHours, latestHours, spreads } from './features.ts'
import { followedText, whatFollowed } from './followed.ts'
import { type HourRing, hourRing, type Quarter, ringBytes, ringHours } from './hour-ring.ts'
import { farthest, type Near, nearestHours, toWanted } from './nearest.ts'

const hourMs = 3_600_000
const quartersPerHour = 4
const width = metricNames.length
/** Servers read from storage per call of `refresh`: some 4 ms each. */
const readPerTurn = 16
/** Hours whose samples may still come late, as far back as the minutes in memory. */
const lateHours = 25
const shown = 3

export type EpisodesOptions = {
  readonly servers: () => Iterable<Server>
  readonly series: (serverId: number) => Series
  /** The quarter tier, newest first; a visited rollup is reused. */
  readonly eachQuarter: (
    serverId: number,
    range: { readonly from: number; readonly to: number },
    visit: (quarter: number, rollup: QuarterRollup) => void,
  ) => void
  /** Memory for all servers together; those that find no room are not searched, and the answer says so. Default 32 MiB. */
  readonly maxBytes?: number
  readonly log: Log
}

export type Episodes = ReturnType<typeof openEpisodes>

/**
 * Past episodes of the whole fleet, 3,024 bytes for two weeks of a server (3 MB for 1,000), filled little by little
 * after the hub has started and kept up by the hour.
 */
export function openEpisodes({
  servers,
  series,
  eachQuarter,
  maxBytes = 32 * 1024 * 1024,
  log,
}: EpisodesOptions) {
  const rings = new Map<number, { readonly ring: HourRing; upTo: number }>()
  const maxServers = Math.floor(maxBytes / ringBytes)
  let reading: Promise<void> | undefined
  let stopped = false

  function read(server: Server, hour: number): void {
    const ring = hourRing()
    const quarters = new Map<number, Quarter>()
    const from = (hour - ringHours) * quartersPerHour
    eachQuarter(server.id, { from, to: hour * quartersPerHour }, (quarter, { mean, known }) => {
      quarters.set(quarter, { mean: mean.slice(), known: known.slice() })
    })
    for (let h = hour - ringHours; h < hour; h++) {
      ring.put(
        h,
        four(h, (quarter) => quarters.get(quarter)),
      )
    }
    rings.set(server.id, { ring, upTo: hour })
  }

  /** From memory: samples that came late are in it by now. */
  function keepUp(server: Server, hour: number): void {
    const kept = rings.get(server.id)!
    if (kept.upTo >= hour) return
    const known = series(server.id)
    for (let h = Math.min(kept.upTo, hour - lateHours); h < hour; h++) {
      kept.ring.put(
        h,
        four(h, (quarter) => quarterOf(known, quarter)),
      )
    }
    kept.upTo = hour
  }

  return {
    /** Called every second or so: reads a few servers that are new, and the hours that ended. */
    refresh(now: number): Promise<void> {
      const hour = Math.floor(now / hourMs)
      let unread = readPerTurn
      reading ??= inSlices(servers(), (server) => {
        if (stopped) return
        if (rings.has(server.id)) keepUp(server, hour)
        else if (rings.size < maxServers && unread-- > 0) read(server, hour)
      })
        .catch((error: unknown) => {
          log.error({ err: error }, 'reading past episodes failed and is tried again')
        })
        .finally(() => {
          reading = undefined
        })
      return reading
    },
    /** Stops reading; settles when it has. */
    async done(): Promise<void> {
      stopped = true
      await reading
    },

    /**
     * Episodes like the last 6 h of this server, and what followed each. Servers of its own profile are searched; the
     * others only when those have too few.
     */
    async similar(server: Server, now: number): Promise<Similar> {
      const latest = latestHours(series(server.id), now)
      const known = rings.get(server.id)
      const wanted = toWanted(latest, spreads(known ? known.ring.codes : latest))
      const hour = Math.floor(now / hourMs)
      let found: { readonly of: Server; readonly near: Near }[] = []
      let compared = 0
      let searched = 0
      let all = 0
      const search = (among: readonly Server[]) =>
        inSlices(among, (of) => {
          all++
          const kept = rings.get(of.id)
          if (!kept) return
          searched++
          const isOwn = of === server
          const { near, compared: n } = nearestHours(kept.ring, {
            ...{ wanted, most: isOwn ? shown : 1 },
            // What is no nearer than those found would not be shown.
            within: found.length < shown ? farthest : found.at(-1)!.near.distance,
            // What followed must be over; of the server itself it must not reach into the stretch asked about.
            before: isOwn ? hour - episodeHours : hour,
          })
          compared += n
          if (near.length === 0) return
          const more = [...found, ...near.map((one) => ({ of, near: one }))]
          found = more.sort((a, b) => a.near.distance - b.near.distance).slice(0, shown)
        })
      const others = [...servers()]
      await search(others.filter(({ profile }) => profile === server.profile))
      const own = found
      if (own.length < shown) {
        found = []
        await search(others.filter(({ profile }) => profile !== server.profile))
        found = [...own, ...found].slice(0, shown)
      }
      const episodes = found.map(({ of, near }) => toEpisode(of, near, server))
      return {
        episodes,
        text: summary(episodes, { searched, compared }),
        searched: { servers: searched, ofServers: all, compared, days: ringHours / 24 },
      }
    },
  }

  function toEpisode(of: Server, { hour, distance }: Near, asking: Server): Episode {
    const from = hour * quartersPerHour
    const quarters: (Quarter | undefined)[] = Array.from({
      length: followedHours * quartersPerHour,
    })
    eachQuarter(of.id, { from, to: from + quarters.length }, (quarter, { mean, known }) => {
      quarters[quarter - from] = { mean: mean.slice(), known: known.slice() }
    })
    const followed = whatFollowed(of, quarters)
    return {
      server: of.name,
      profile: of.profile,
      sameProfile: of.profile === asking.profile,
      endedAt: new Date(hour * hourMs).toISOString(),
      distance: Math.round(distance * 1000) / 1000,
      closeness:
        distance <= 0.35 ? 'very similar' : distance <= 0.65 ? 'similar' : 'somewhat similar',
      followed,
      text: followedText(followed),
    }
  }
}

const four = (hour: number, of: (quarter: number) => Quarter | undefined) =>
  [0, 1, 2, 3].map((i) => of(hour * quartersPerHour + i))

function quarterOf(series: Series, quarter: number): Quarter | undefined {
  const cell = quarterCell(series, quarter)
  if (cell < 0) return undefined
  return {
    mean: series.quarterMean.subarray(cell, cell + width),
    known: series.quarterKnown.subarray(cell, cell + width),
  }
}

function summary(
  episodes: readonly Episode[],
  { searched, compared }: { readonly searched: number; readonly compared: number },
): string {
  const where = `${compared.toLocaleString('en')} past episodes of ${searched.toLocaleString('en')} servers`
  if (compared === 0) return 'There is no past yet to compare the last 6 h with.'
  if (episodes.length === 0) return `Nothing similar to the last 6 h among ${where}.`
  const breached = episodes.filter(({ followed }) => followed.breached.length > 0).length
  const n = episodes.length
  const what =
    breached === 0
      ? `none of them reached a limit within 8 h`
      : `${breached} of them reached a limit within 8 h`
  return n === 1
    ? `One similar episode among ${where}: ${breached === 1 ? 'a limit was reached within 8 h' : 'no limit was reached within 8 h'}.`
    : `${n} similar episodes among ${where}: ${what}.`
}
