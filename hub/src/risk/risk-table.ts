/** Points from a level on, worst first: the first row reached counts. */
export type Rows = readonly (readonly [from: number, points: number])[]

/**
 * The risk score in one table. Points are risk points, they add up to the score: nothing is weighted afterwards.
 *
 * `now` counts what is; `predicted` is what the same component would be worth if its pessimistic peak of the next 30
 * minutes came true, and counts only as far as it is worse than now. (Weighting the halves 0.7 and 0.3 cannot do what
 * is asked of the score: 40 % CPU now and 95 % predicted is to be 40 to 60, and 0.3 × 100 is 30.)
 */
export const riskTable = {
  /** % */
  cpu_used: {
    now: [
      [98, 55],
      [95, 45],
      [90, 28],
      [80, 22],
    ],
    predicted: [
      [98, 56],
      [95, 52],
      [90, 28],
    ],
  },
  /** % on ml_compute, whose cores are meant to be busy. */
  cpu_used_ml: { now: [[99.5, 20]], predicted: [[99.5, 20]] },
  /** Percentage points above the profile's critical limit. */
  memory: {
    now: [
      [3, 75],
      [0, 66],
      [-5, 26],
      [-10, 10],
    ],
    predicted: [
      [3, 75],
      [-1, 66],
    ],
  },
  /** % on a database, and nothing while swap is quiet: a database fills memory on purpose. */
  memory_database: {
    now: [
      [99, 40],
      [98, 21],
      [95, 10],
    ],
    predicted: [
      [99, 20],
      [98, 10],
      [95, 5],
    ],
  },
  /** Multiples of the profile's normal. */
  io_wait: {
    now: [
      [3, 50],
      [2, 34],
      [1, 12],
    ],
    predicted: [
      [3, 45],
      [2, 30],
    ],
  },
  /** % */
  swap: {
    now: [
      [50, 25],
      [25, 14],
      [10, 7],
    ],
    predicted: [],
  },
  /** Load per core. */
  load: {
    now: [
      [3, 20],
      [2, 10],
    ],
    predicted: [[3, 15]],
  },
  /** Share of the way from the warning limit (5 × normal) to the critical one; see also `closeWaitRise`. */
  close_wait: {
    now: [
      [1, 60],
      [0, 20],
    ],
    predicted: [[1, 60]],
  },
  /** % */
  disk: {
    now: [
      [98, 60],
      [95, 35],
      [90, 14],
    ],
    predicted: [
      [98, 60],
      [95, 35],
    ],
  },
} as const satisfies { readonly [component: string]: { now: Rows; predicted: Rows } }

/** Swap (%) below which it is quiet. */
export const quietSwap = 10

/** A close-wait count that keeps rising and is well above normal is a leak before it is large. */
export const closeWaitRise = {
  /** Multiples of normal, and at least so many sockets, before a rise counts. */
  fromNormal: 3,
  fromSockets: 30,
  /** Sockets per hour. */
  perHour: 10,
  now: 10,
  /** When the limit is less than this many hours away at that rate. */
  hoursToLimit: 8,
  predicted: 10,
} as const

export const pointsOf = (rows: Rows, level: number): number =>
  rows.find(([from]) => level >= from)?.[1] ?? 0
