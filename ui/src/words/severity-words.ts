import type { SeverityOrUnknown } from '@harbinger/shared/api'
import { severityScale } from '@harbinger/shared/severity'

/** Worst first, unknown last. */
export const allSeverities: readonly SeverityOrUnknown[] = [
  ...severityScale.map(({ severity }) => severity),
  'unknown',
]

export const severityWord = (severity: SeverityOrUnknown): string =>
  severityScale.find((row) => row.severity === severity)?.label ?? 'Unknown'

export const severityRank = (severity: SeverityOrUnknown): number => allSeverities.indexOf(severity)

/**
 * One shape per severity in a 16 × 16 box, because colour is never the only sign:
 * dot, ring, falling triangle, triangle, diamond, octagon, star; a broken ring for unknown.
 */
export const severityShape: Readonly<Record<SeverityOrUnknown, string>> = {
  healthy: 'M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6z',
  watch: 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11zM8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6z',
  degrading: 'M1.5 3h13L8 14z',
  warning: 'M8 2l6.5 11h-13z',
  danger: 'M8 1l7 7-7 7-7-7z',
  critical: 'M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3zM7 4v5h2V4zM7 10.3v2h2v-2z',
  imminent_failure:
    'M8 .5l1.7 3.8 3.9-1.4-1.4 3.9L16 8l-3.8 1.7 1.4 3.9-3.9-1.4L8 15.5l-1.7-3.3-3.9 1.4 1.4-3.9L0 8l3.8-1.2-1.4-3.9 3.9 1.4z',
  unknown: 'M3 7h4v2H3zM9 7h4v2H9z',
}
