import type { Profile } from '@harbinger/shared/profiles'
import { draws, hash32, smoothstep } from './random.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** The course of a fault from onset to peak; the last three are held out from training. */
const courses = {
  even: (x: number) => x,
  accelerating: (x: number) => x * x,
  s_curve: smoothstep,
  stepped: (x: number) => (Math.floor(4 * x) + smoothstep(2 * ((4 * x) % 1))) / 4,
  decelerating: (x: number) => Math.sin((Math.PI / 2) * x),
  oscillating: (x: number) => x + 0.2 * (1 - x) * x * 4 * Math.sin(6 * Math.PI * x),
  relapsing: (x: number) =>
    x < 0.4
      ? 0.55 * smoothstep(x / 0.4)
      : 0.55 - 0.4 * smoothstep((x - 0.4) / 0.2) + 0.85 * smoothstep((x - 0.6) / 0.4),
} as const

type Course = keyof typeof courses
const trainingCourses = ['even', 'accelerating', 's_curve', 'stepped'] as const
const heldOutCourses = ['decelerating', 'oscillating', 'relapsing'] as const

type Span = readonly [fewestMinutes: number, mostMinutes: number]
type Kind = {
  /** Onset to peak, peak to relief, relief to end. */
  readonly rise: Span
  readonly hold: Span
  readonly fall: Span
  readonly weight: number
  /** Profiles it happens to; all where absent. */
  readonly only?: readonly Profile[]
  readonly heldOut?: true
}

const javaProfiles: readonly Profile[] = [
  'web_api',
  'data_ingest',
  'risk_analytics',
  'conductor_mgmt',
]

/** What can go wrong, how long it takes and how often it is drawn. */
const kinds = {
  memory_leak: { rise: [120, 4320], hold: [5, 60], fall: [3, 10], weight: 3 },
  socket_leak_back: { rise: [60, 1440], hold: [10, 120], fall: [3, 8], weight: 2 },
  socket_leak_front: { rise: [60, 1440], hold: [10, 120], fall: [3, 8], weight: 1 },
  disk_fill: { rise: [360, 4320], hold: [30, 240], fall: [15, 60], weight: 1.5 },
  noisy_neighbour: { rise: [5, 20], hold: [30, 240], fall: [5, 20], weight: 1.5 },
  runaway_job: { rise: [5, 30], hold: [30, 360], fall: [3, 8], weight: 2 },
  io_saturation: { rise: [20, 480], hold: [20, 240], fall: [5, 20], weight: 3 },
  pool_exhaustion: { rise: [8, 60], hold: [10, 90], fall: [3, 8], weight: 2 },
  gc_spiral: { rise: [20, 240], hold: [10, 90], fall: [3, 8], weight: 2, only: javaProfiles },
  traffic_surge: { rise: [5, 45], hold: [10, 120], fall: [10, 60], weight: 2 },
  network_saturation: { rise: [5, 40], hold: [15, 180], fall: [5, 20], weight: 1 },
  reboot: { rise: [4, 10], hold: [3, 6], fall: [15, 40], weight: 0.6 },
  silent_death: { rise: [8, 40], hold: [20, 240], fall: [10, 30], weight: 0.5 },
  dependency_stall: { rise: [4, 10], hold: [10, 60], fall: [3, 8], weight: 0 },
  lock_contention: { rise: [10, 120], hold: [10, 120], fall: [3, 10], weight: 2, heldOut: true },
  interrupt_storm: { rise: [6, 60], hold: [10, 120], fall: [3, 10], weight: 2, heldOut: true },
  double_leak: { rise: [90, 1440], hold: [10, 60], fall: [3, 10], weight: 2, heldOut: true },
} as const satisfies { readonly [kind: string]: Kind }

export type FaultKind = keyof typeof kinds

export const faultKinds = Object.keys(kinds) as readonly FaultKind[]

/** Minutes from the first sign of a fault of this kind to its full effect, when it is as fast as it can be. */
export const shortestRise = (kind: FaultKind): number => kinds[kind].rise[0]

/** One thing that goes wrong with one server; the ground truth that forecasts and alerts are scored against. */
export type Fault = {
  readonly server: string
  /** The server's place in the fleet. */
  readonly index: number
  readonly kind: FaultKind
  /** ms since epoch: first sign, full effect, beginning and end of the recovery. */
  readonly onset: number
  readonly peak: number
  readonly relief: number
  readonly end: number
  /** 0 … 1: mild to worst. */
  readonly strength: number
  readonly course: Course
  /** A shape no training fleet shows. */
  readonly heldOut: boolean
  /** The server whose fault brought this one about. */
  readonly cascadeOf?: string
  /** True where a scenario of the demo began it. */
  readonly scenario?: true
}

/** How much of a fault shows at `at`, 0 … 1. */
export function severityOfFault(fault: Fault, at: number): number {
  if (at < fault.onset || at >= fault.end) return 0
  if (at < fault.peak) {
    return Math.max(0, courses[fault.course]((at - fault.onset) / (fault.peak - fault.onset)))
  }
  if (at < fault.relief) return 1
  return 1 - smoothstep((at - fault.relief) / (fault.end - fault.relief))
}

/** A dead server comes back with the relief of these. */
export const endsInBoot = (kind: FaultKind): boolean => kind === 'reboot' || kind === 'silent_death'

/** Days before the first instant asked for that are drawn too: the longest fault lasts three, an uptime weeks. */
const lookBackDays = 45
const troubleShare = 0.1
/** How much more often than the average a trouble-prone server is in trouble; the others share the rest. */
const troubleFactor = 5.5

export type ScheduleOptions = {
  readonly seed: number
  readonly servers: readonly { readonly name: string; readonly profile: Profile }[]
  readonly needs: readonly (readonly number[])[]
  readonly perServerDay: number
  readonly heldOut: boolean
}

/** The faults of a fleet, drawn day by day from the seed alone: which day is asked for first changes nothing. */
export function faultSchedule({ seed, servers, needs, perServerDay, heldOut }: ScheduleOptions) {
  const ofServer: Fault[][] = servers.map(() => [])
  const rates = troubleRates(seed, servers.length, perServerDay)
  const neededBy = reverse(needs)
  const choices = kindChoices(heldOut)
  let drawnTo = NaN

  const keep = (fault: Fault): void => void ofServer[fault.index]!.push(fault)

  function drawDay(day: number): void {
    for (let index = 0; index < servers.length; index++) {
      const rate = rates[index]!
      if (rate === 0) continue
      const chance = draws(hash32(seed, 0xfa17, index), day, 0)
      const whole = Math.floor(rate)
      const n = whole + (chance.next() < rate - whole ? 1 : 0)
      for (let k = 0; k < n; k++) {
        const { name, profile } = servers[index]!
        const kind = chooseKind(choices.get(profile)!, chance.next())
        const onset = Math.round((day + chance.next()) * dayMs)
        const fault = drawFault({ server: name, index, kind, onset, heldOut }, chance)
        keep(fault)
        if (profile === 'database') cascade(fault, chance)
      }
    }
  }

  /** Those that need a database in trouble stall minutes after it, and those that need them after that. */
  function cascade(origin: Fault, chance: ReturnType<typeof draws>): void {
    if (!cascading.has(origin.kind) || chance.next() < 0.4) return
    const felt = origin.onset + 0.6 * (origin.peak - origin.onset)
    const relieved = origin.relief
    for (const index of neededBy[origin.index]!) {
      const follows = chance.next() < 0.7
      const delay = chance.between(1, 10) * minuteMs
      if (!follows) continue
      const first = stall(origin, { index, from: felt + delay, until: relieved + delay }, chance)
      for (const next of neededBy[index]!) {
        const also = chance.next() < 0.3
        const later = chance.between(3, 15) * minuteMs
        if (also)
          stall(
            origin,
            { index: next, from: first.peak + later, until: relieved + 2 * later },
            chance,
          )
      }
    }
  }

  function stall(
    origin: Fault,
    { index, from, until }: { index: number; from: number; until: number },
    chance: ReturnType<typeof draws>,
  ): Fault {
    const onset = Math.round(from)
    const peak = Math.round(onset + chance.between(4, 10) * minuteMs)
    const relief = Math.round(Math.max(peak + 2 * minuteMs, until))
    const fault: Fault = {
      server: servers[index]!.name,
      index,
      kind: 'dependency_stall',
      ...{ onset, peak, relief, end: relief + Math.round(chance.between(3, 8) * minuteMs) },
      ...{ strength: chance.next(), course: 's_curve', heldOut, cascadeOf: origin.server },
    }
    keep(fault)
    return fault
  }

  return {
    /** Draws all days that can matter at `at`. */
    reach(at: number): void {
      // A cascade begun late in a day reaches into the next, so a day is drawn before it begins.
      const day = Math.floor(at / dayMs) + 1
      if (Number.isNaN(drawnTo)) drawnTo = day - lookBackDays - 1
      while (drawnTo < day) drawDay(++drawnTo)
    },
    of: (index: number): readonly Fault[] => ofServer[index]!,
    all: (): readonly Fault[] => ofServer.flat(),
  }
}

const cascading: ReadonlySet<FaultKind> = new Set([
  'io_saturation',
  'pool_exhaustion',
  'silent_death',
  'lock_contention',
])

function drawFault(
  given: Pick<Fault, 'server' | 'index' | 'kind' | 'onset' | 'heldOut'>,
  { next, spread, pick }: ReturnType<typeof draws>,
): Fault {
  const { rise, hold, fall } = kinds[given.kind]
  const minutes = ([low, high]: Span): number => Math.round(spread(low, high) * minuteMs)
  const peak = given.onset + minutes(rise)
  const relief = peak + minutes(hold)
  const course = pick(given.heldOut ? heldOutCourses : trainingCourses)
  return { ...given, peak, relief, end: relief + minutes(fall), strength: next(), course }
}

/** Rate per server and day; one in ten has most of the trouble, the mean is as asked. */
function troubleRates(seed: number, servers: number, mean: number): readonly number[] {
  const prone = Math.round(servers * troubleShare)
  const others =
    servers > prone ? (servers - prone * troubleFactor) / (servers - prone) : troubleFactor
  const byDraw = Array.from({ length: servers }, (_, i) => i).sort(
    (a, b) => hash32(seed, 0x7ab, a) - hash32(seed, 0x7ab, b),
  )
  const rates = new Array<number>(servers).fill(mean * Math.max(0, others))
  for (const i of byDraw.slice(0, prone)) rates[i] = mean * troubleFactor
  return rates
}

type Choice = { readonly kind: FaultKind; readonly upTo: number }

/** Held-out fleets show the held-out kinds, and the other kinds along held-out courses. */
function kindChoices(heldOut: boolean): ReadonlyMap<Profile, readonly Choice[]> {
  const profiles: Profile[] = [...javaProfiles, 'ml_compute', 'database', 'generic']
  return new Map(
    profiles.map((profile) => {
      const open = faultKinds.filter((kind) => {
        const { only, heldOut: isHeldOut }: Kind = kinds[kind]
        return (heldOut || !isHeldOut) && (!only || only.includes(profile))
      })
      const total = open.reduce((sum, kind) => sum + kinds[kind].weight, 0)
      let sum = 0
      return [profile, open.map((kind) => ({ kind, upTo: (sum += kinds[kind].weight / total) }))]
    }),
  )
}

const chooseKind = (choices: readonly Choice[], u: number): FaultKind =>
  (choices.find(({ upTo }) => u < upTo) ?? choices.at(-1)!).kind

function reverse(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const neededBy: number[][] = needs.map(() => [])
  needs.forEach((of, i) => of.forEach((needed) => neededBy[needed]!.push(i)))
  return neededBy
}
