import type { MetricName } from '../metrics.ts'

/** Printed by model-training/src/backtest/fit-alerts.ts; one weight per feature of `alertFeatures`. */
export const alertWeights: { readonly [metric in MetricName]?: readonly number[] } = {}
