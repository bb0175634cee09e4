/** Forecasts that need no training: always in the backtest's table, always there when the network is not. */
export const baselineNames = [
  'seven-day-mean-level',
  'theta-like',
  'seasonal-naive',
  'last-value',
  'linear-1h',
  'linear-6h',
  'linear-24h',
] as const
export type BaselineName = (typeof baselineNames)[number]
