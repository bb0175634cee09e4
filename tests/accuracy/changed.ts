import { type MetricName, metricNames, type Readings } from '@harbinger/shared/metrics'

/** Readings with some of them changed. */
export const changed = (
  readings: Readings,
  names: readonly MetricName[],
  by: (value: number) => number | undefined,
): Readings =>
  Object.fromEntries(
    metricNames.flatMap((name) => {
      const value = readings[name]
      const next = value !== undefined && names.includes(name) ? by(value) : value
      return next === undefined ? [] : [[name, next]]
    }),
  )
