import { fillBaseline } from '@harbinger/shared/forecast/baseline'
import type { Profile } from '@harbinger/shared/profiles'
import type { Series } from '@harbinger/shared/window/series'
import type { FleetHistory } from '../history/fleet-history.ts'
import { cutWindow } from '../windows/cut-window.ts'
import { fillBlendedPeaks, fillTruth } from '../windows/truth.ts'
import { addHardship, drawHistoryMinutes, hardships } from './augment.ts'
import { randomStream } from './random.ts'
import { type TrainingBatch, trainingBatch } from './training-batch.ts'
import { blendRow, rescaleRow, shiftWeek } from './vary.ts'

/** A stretch of a history to learn from, or to check against. */
export type Source = {
  readonly history: FleetHistory
  /** How often its windows are drawn, beside the other sources. */
  readonly weight: number
  /** Windows end, and what follows them is measured, between these instants. */
  readonly from: number
  readonly to: number
  /** Stretches that chance alone would show too seldom, as the rise of a fault; by place of the server in the history. */
  readonly moments?: readonly Moment[]
  /** Windows keep all their history: of few servers short ones would teach who they are. Default: some are shortened. */
  readonly whole?: boolean
}

export type Moment = { readonly server: number; readonly from: number; readonly to: number }

type How = {
  readonly random: () => number
  readonly augment: boolean
  readonly scratch: TrainingBatch
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const horizonMs = 8 * hourMs

/** Shares of training windows that get each variation. */
export const variations = {
  blended: 0.8,
  rescaled: 0.5,
  weekShifted: 0.5,
} as const

/** Of the windows of a source that names moments, this share ends in one. */
const momentShare = 0.2

/** Throws when a source is too short for a single window and what follows it. */
export function checkSources(sources: readonly Source[]): void {
  if (sources.length === 0) throw new Error('nothing to learn from: no history was given')
  for (const { history, from, to } of sources) {
    if (to - from > horizonMs + hourMs) continue
    throw new Error(
      `${history.name}: ${((to - from) / hourMs).toFixed(1)} h of history, expected more than 9 h to learn from`,
    )
  }
}

/** Fills `batch` with windows drawn at random; `seed` and `place` alone decide which. */
export function drawBatch(
  batch: TrainingBatch,
  sources: readonly Source[],
  { seed, place, augment = true }: { seed: number; place: number; augment?: boolean },
): TrainingBatch {
  const random = randomStream(seed, place)
  const how = { random, augment, scratch: trainingBatch(1) }
  const total = sources.reduce((sum, { weight }) => sum + weight, 0)
  for (let row = 0; row < batch.size; row++) {
    let tries = 0
    while (!drawWindow(batch, row, pick(sources, random() * total), how)) {
      if (++tries === 1000)
        throw new Error('no window to learn from: the histories are nearly empty')
    }
  }
  return batch
}

function pick(sources: readonly Source[], place: number): Source {
  let left = place
  for (const source of sources) {
    left -= source.weight
    if (left < 0) return source
  }
  return sources.at(-1)!
}

/** Writes one window and its truth; false when the hub would not forecast there or nothing was measured after. */
function drawWindow(batch: TrainingBatch, row: number, source: Source, how: How): boolean {
  const { random, augment } = how
  const { from, to, moments = [] } = source
  const moment =
    augment && moments.length > 0 && random() < momentShare
      ? moments[Math.floor(random() * moments.length)]!
      : undefined
  const now = moment
    ? moment.from + random() * (moment.to - moment.from)
    : from + random() * (to - horizonMs - from)
  if (now < from || now > to - horizonMs) return false
  const one = cutAt(batch, row, { source, now, how, server: moment?.server })
  if (!one) return false
  if (augment) {
    // A blend with a healthy server would be half a fault, that reaches no limit.
    if (!moment && random() < variations.blended) {
      const days = Math.floor((to - horizonMs - from) / dayMs)
      const first = from + ((now - from) % dayMs)
      const then = first + Math.floor(random() * (days + 1)) * dayMs
      // Same time of day, any server, any day.
      const other =
        then <= to - horizonMs
          ? cutAt(how.scratch, 0, { source, now: then, how, profile: one.profile })
          : undefined
      if (other) {
        const share = random()
        blendRow(batch, row, { from: how.scratch, other: 0, share })
        const strands = [
          { ...one, weight: 1 - share },
          { ...other, weight: share },
        ] as const
        fillBlendedPeaks(batch, row, strands)
      }
    }
    if (random() < variations.rescaled) rescaleRow(batch, row, random)
    if (random() < variations.weekShifted) shiftWeek(batch, row, Math.floor(7 * random()))
    addHardship(batch, row, random)
    fillBaseline(batch, row)
  }
  const width = batch.truthKnown.length / batch.size
  return batch.truthKnown.subarray(row * width, (row + 1) * width).some((known) => known > 0)
}

type Place = {
  readonly source: Source
  readonly now: number
  readonly how: How
  /** Only servers of this profile; default: any. */
  readonly profile?: Profile | undefined
  /** Place of the server; default: any. */
  readonly server?: number | undefined
}

function cutAt(
  batch: TrainingBatch,
  row: number,
  { source, now, how, profile, server: place }: Place,
): { readonly series: Series; readonly end: number; readonly profile?: Profile } | undefined {
  const { random, augment } = how
  const servers = profile
    ? source.history.servers.filter((server) => server.profile === profile)
    : source.history.servers
  const server =
    place === undefined
      ? servers[Math.floor(random() * servers.length)]!
      : source.history.servers[place]!
  const end = cutWindow(batch, row, {
    server,
    now,
    historyMinutes: augment && !source.whole ? drawHistoryMinutes(random) : undefined,
    unknownProfile: augment && random() < hardships.unknownProfile,
    unknownHardware: augment && random() < hardships.unknownHardware,
  })
  if (end === undefined) return undefined
  const { series } = server
  fillTruth(batch, row, { series, end })
  // A window that shows its profile is blended with none of another.
  return batch.profile[row]! > 0n ? { series, end, profile: server.profile! } : { series, end }
}
