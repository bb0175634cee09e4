import type { draws } from './random.ts'

/** Numbers of one chance, drawn one after the other. */
type Draws = ReturnType<typeof draws>

const stepsPerHour = 12
const stepsPerDay = 24 * stepsPerHour

/** A standard normal number (Box and Muller 1958). */
const normal = ({ next }: Draws): number =>
  Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

/**
 * Noise that keeps returning to 0 with standard deviation 1 (Ornstein–Uhlenbeck): what it was `tau` steps ago counts
 * 1/e now.
 */
export function wander(chance: Draws, steps: number, tau: number): Float32Array {
  const keep = Math.exp(-1 / tau)
  const push = Math.sqrt(1 - keep * keep)
  const out = new Float32Array(steps)
  let x = normal(chance)
  for (let t = 0; t < steps; t++) {
    out[t] = x
    x = keep * x + push * normal(chance)
  }
  return out
}

/** The shape of one day in steps of five minutes, mean 0 and standard deviation 1: waves, working hours, jobs or all. */
function dayShape(chance: Draws): Float32Array {
  const shape = new Float32Array(stepsPerDay)
  const has = { waves: chance.next() < 0.7, hours: chance.next() < 0.5, jobs: chance.next() < 0.4 }
  if (has.waves || (!has.hours && !has.jobs)) {
    for (let h = 1; h <= 5; h++) {
      const size = normal(chance) / h ** 1.2
      const phase = chance.between(0, 2 * Math.PI)
      for (let t = 0; t < stepsPerDay; t++) {
        shape[t] = shape[t]! + size * Math.cos((2 * Math.PI * h * t) / stepsPerDay + phase)
      }
    }
  }
  if (has.hours) {
    const begin = chance.between(5, 12) * stepsPerHour
    const length = chance.between(5, 14) * stepsPerHour
    const ramp = chance.spread(0.2, 3) * stepsPerHour
    const size = chance.between(0.5, 3) * (chance.next() < 0.15 ? -1 : 1)
    for (let t = 0; t < stepsPerDay; t++) {
      const since = (t - begin + stepsPerDay) % stepsPerDay
      const up = Math.min(1, since / ramp)
      const down = Math.min(1, Math.max(0, (begin + length - begin - since) / ramp))
      shape[t] = shape[t]! + size * Math.max(0, Math.min(up, down))
    }
  }
  if (has.jobs) {
    for (let n = 1 + Math.floor(5 * chance.next()); n > 0; n--) {
      const at = chance.between(0, stepsPerDay)
      const width = chance.spread(1, 2 * stepsPerHour)
      const size = chance.between(0.5, 4)
      for (let t = 0; t < stepsPerDay; t++) {
        const far = Math.abs(((t - at + 1.5 * stepsPerDay) % stepsPerDay) - stepsPerDay / 2)
        shape[t] = shape[t]! + size * Math.exp(-0.5 * (far / width) ** 2)
      }
    }
  }
  return standard(shape)
}

function standard(shape: Float32Array): Float32Array {
  const mean = shape.reduce((a, b) => a + b, 0) / shape.length
  const spread = Math.sqrt(shape.reduce((a, b) => a + (b - mean) ** 2, 0) / shape.length)
  return spread > 1e-6 ? shape.map((x) => (x - mean) / spread) : shape.fill(0)
}

/** What the metrics of one server have in common: the day of its users, and its weather. */
export type Habit = {
  readonly shape: Float32Array
  readonly weekend: number
  readonly slow: Float32Array
  readonly fast: Float32Array
}

export const drawHabit = (chance: Draws, steps: number): Habit => ({
  shape: dayShape(chance),
  weekend: chance.next() < 0.5 ? 1 : chance.between(0.1, 1),
  slow: wander(chance, steps, chance.spread(6, 6 * 24) * stepsPerHour),
  fast: wander(chance, steps, chance.spread(0.2, 6) * stepsPerHour),
})

/** Steps up and down to a new level, each lasting. */
function shifts(chance: Draws, steps: number): Float32Array {
  const out = new Float32Array(steps)
  const every = chance.spread(3, 60) * stepsPerDay
  let level = 0
  for (let t = 0; t < steps; t++) {
    if (chance.next() < 1 / every) level = 0.5 * level + 0.4 * normal(chance)
    out[t] = level
  }
  return out
}

/** Short excursions that die away. */
function bursts(chance: Draws, steps: number): Float32Array {
  const out = new Float32Array(steps)
  const every = chance.spread(0.15, 6) * stepsPerDay
  const fade = Math.exp(-1 / (chance.spread(0.1, 3) * stepsPerHour))
  const size = chance.spread(0.1, 2)
  let now = 0
  for (let t = 0; t < steps; t++) {
    now *= fade
    if (chance.next() < 1 / every) now += size * -Math.log(1 - chance.next())
    out[t] = now
  }
  return out
}

/** A leak that grows until something restarts it, again and again. */
function sawtooth(chance: Draws, steps: number): Float32Array {
  const out = new Float32Array(steps)
  const size = chance.spread(0.1, 1.5)
  let length = chance.spread(4, 7 * 24) * stepsPerHour
  let t0 = -length * chance.next()
  const bend = chance.spread(0.6, 2)
  for (let t = 0; t < steps; t++) {
    if (t - t0 >= length) {
      t0 = t
      length *= chance.spread(0.6, 1.6)
    }
    out[t] = size * ((t - t0) / length) ** bend
  }
  return out
}

/**
 * The course of one metric around 1 in steps of five minutes, of a server that nobody modelled: a day's shape, slow
 * and fast weather, new levels, bursts, leaks and plain noise in proportions drawn at random. Never below 0.
 */
export function drawCourse(
  chance: Draws,
  {
    steps,
    habit,
    firstWeekday,
  }: { readonly steps: number; readonly habit: Habit; readonly firstWeekday: number },
): Float32Array {
  const own = dayShape(chance)
  const shared = chance.next() < 0.7 ? chance.between(0.3, 1) : 0
  const daily = chance.next() < 0.12 ? 0 : chance.spread(0.03, 0.9)
  const slowSize = chance.spread(0.01, 0.4)
  const fastSize = chance.spread(0.01, 0.3)
  const noiseSize = chance.spread(0.005, 0.3)
  const slow = wander(chance, steps, chance.spread(6, 6 * 24) * stepsPerHour)
  const fast = wander(chance, steps, chance.spread(0.2, 8) * stepsPerHour)
  // A day is like the one before, more or less: higher or lower, flatter or steeper.
  const dayChange = chance.spread(0.02, 0.4)
  const ofDay = wander(chance, Math.ceil(steps / stepsPerDay) + 1, chance.spread(0.5, 5))
  const late = chance.next() < 0.5 ? 0 : chance.spread(0.5, 6)
  const lateness = wander(chance, ofDay.length, 1)
  const parts = [
    chance.next() < 0.35 ? shifts(chance, steps) : undefined,
    chance.next() < 0.4 ? bursts(chance, steps) : undefined,
    chance.next() < 0.15 ? sawtooth(chance, steps) : undefined,
  ]
  const inProportion = chance.next() < 0.6
  const out = new Float32Array(steps)
  for (let t = 0; t < steps; t++) {
    const day = Math.floor(t / stepsPerDay)
    const share = t / stepsPerDay - day
    // From one day to the next without a jump at midnight.
    const strength = (1 - share) * ofDay[day]! + share * ofDay[day + 1]!
    const time =
      (((t + Math.round(late * lateness[day]!)) % stepsPerDay) + stepsPerDay) % stepsPerDay
    const weekday = (firstWeekday + day) % 7
    const week = weekday >= 5 ? habit.weekend : 1
    const shape = shared * habit.shape[time]! + (1 - shared) * own[time]!
    let x = daily * shape * week * Math.exp(dayChange * strength)
    x += slowSize * (shared * habit.slow[t]! + (1 - shared) * slow[t]!)
    x += fastSize * (shared * habit.fast[t]! + (1 - shared) * fast[t]!)
    for (const part of parts) if (part) x += part[t]!
    const level = inProportion ? Math.exp(Math.max(-4, Math.min(2.5, x))) : Math.max(0, 1 + x)
    out[t] = level * Math.max(0, 1 + noiseSize * normal(chance))
  }
  return out
}
