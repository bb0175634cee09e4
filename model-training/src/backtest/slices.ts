/** Parts of the horizon that a report tells apart, in steps. */
export const horizons = [
  { name: '0-1h', steps: [0, 4] },
  { name: '1-4h', steps: [4, 16] },
  { name: '4-8h', steps: [16, 32] },
] as const

/** Lengths of history that a report tells apart: all that is older is hidden. */
export const histories = [
  { name: '15min', minutes: 15 },
  { name: '1h', minutes: 60 },
  { name: '6h', minutes: 360 },
  { name: '24h', minutes: 1440 },
  { name: '7d', minutes: 7 * 1440 },
] as const
