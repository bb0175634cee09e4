import type { MetricName } from '../metrics.ts'

/**
 * Printed by model-training/src/backtest/fit-alerts.ts, here of model base-1; one weight per feature of `alertFeatures`,
 * the constant first. Of a metric that is not named the forecast's chance speaks alone.
 */
export const alertWeights: { readonly [metric in MetricName]?: readonly number[] } = {
  cpu_iowait_pct: [
    -15.02, 0.08962, -0.3395, 0.4424, 0.2478, 0.1527, -0.1106, -0.4158, -1.394, -6.064, 0, -24.17,
    0.06516, -1.269,
  ],
  mem_used_pct: [
    2.871, 0.6599, -0.4609, 0.594, 0.6429, 0.3935, 0.08802, -0.4876, -0.5359, 1.019, -0.9097,
    -0.993, -1.359, 0.2428,
  ],
  swap_used_pct: [
    -0.03965, 0.6997, -0.8319, 0.5604, 1.092, 0.473, 0.05664, -0.6341, -0.4654, -2.728, 0, 3.477,
    -1.601, -1.466,
  ],
  load_average: [
    -4.105, 0.08057, 0.0105, 0.2185, -0.175, -0.3336, -0.169, -0.2736, 0.348, -5.13, 0, -1.571,
    -0.5666, -2.081,
  ],
  back_close_wait: [
    -0.8687, -0.1776, 0.1331, 0.09071, 0.3894, -0.1615, -0.5065, 0.9498, 0.07573, -4.214, 0, 2.537,
    -0.8161, -2.369,
  ],
}
