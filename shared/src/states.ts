/** What the hub says a server is doing. Derived, shown, and never an input of the model: that leaked labels once. */
export const states = [
  'healthy',
  'heavy_load',
  'morning_spike',
  'critical_issue',
  'recovery',
  'idle',
  'maintenance',
  'offline',
] as const

export type State = (typeof states)[number]
