/** The one scale of severity, worst first; a score belongs to the first row it reaches. */
export const severityScale = [
  { severity: 'imminent_failure', label: 'Imminent Failure', from: 90 },
  { severity: 'critical', label: 'Critical', from: 80 },
  { severity: 'danger', label: 'Danger', from: 70 },
  { severity: 'warning', label: 'Warning', from: 60 },
  { severity: 'degrading', label: 'Degrading', from: 50 },
  { severity: 'watch', label: 'Watch', from: 30 },
  { severity: 'healthy', label: 'Healthy', from: 0 },
] as const

export type Severity = (typeof severityScale)[number]['severity']

export const severities: readonly Severity[] = severityScale.map(({ severity }) => severity)

/** The severity of a risk score from 0 to 100. */
export const severityOf = (risk: number): Severity =>
  severityScale.find(({ from }) => risk >= from)?.severity ?? 'healthy'

export const severityLabel = (severity: Severity): string =>
  severityScale.find((row) => row.severity === severity)!.label
