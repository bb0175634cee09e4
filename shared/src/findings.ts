/** What a doctor found out about one thing. */
export type Finding = {
  readonly check: string
  /** Null: it could not be checked, which is not the same as well. */
  readonly ok: boolean | null
  /** A warning works now and needs somebody before long; it is `ok`. */
  readonly level: 'ok' | 'warning' | 'failed' | 'unknown'
  readonly found: string
  /** What to do, as a command where there is one; empty when there is nothing to do. */
  readonly advice: string
}

export const fine = (check: string, found: string): Finding => ({
  ...{ check, ok: true, level: 'ok', found, advice: '' },
})

export const warning = (check: string, found: string, advice: string): Finding => ({
  ...{ check, ok: true, level: 'warning', found, advice },
})

export const failed = (check: string, found: string, advice: string): Finding => ({
  ...{ check, ok: false, level: 'failed', found, advice },
})

/** `because` completes the sentence "not checked because …". */
export const notChecked = (check: string, because: string, advice = ''): Finding => ({
  ...{ check, ok: null, level: 'unknown', found: `not checked because ${because}`, advice },
})

const marks = { ok: 'ok', warning: 'WARNING', failed: 'FAILED', unknown: '?' } as const

const indented = (text: string, by: number): string => text.replaceAll('\n', `\n${' '.repeat(by)}`)

/** The findings as lines for a person, worst news repeated at the end. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const left = 9 + width + 2
  const lines = findings.flatMap(({ check, level, found, advice }) => [
    `${marks[level].padEnd(9)}${check.padEnd(width)}  ${indented(found, left)}`,
    ...(advice === '' ? [] : [`${' '.repeat(left - 2)}→ ${indented(advice, left)}`]),
  ])
  return [...lines, '', summary(findings)].join('\n')
}

function summary(findings: readonly Finding[]): string {
  const of = (level: Finding['level']) => findings.filter((finding) => finding.level === level)
  const named = (level: Finding['level']) =>
    of(level)
      .map(({ check }) => check)
      .join(', ')
  const parts = [
    ...(of('failed').length > 0 ? [`${of('failed').length} failed: ${named('failed')}.`] : []),
    ...(of('warning').length > 0
      ? [`${of('warning').length} to look at before long: ${named('warning')}.`]
      : []),
    ...(of('unknown').length > 0
      ? [`${of('unknown').length} not checked: ${named('unknown')}.`]
      : []),
  ]
  const head = `${findings.length} checks`
  return parts.length === 0 ? `${head}, all is well.` : `${head}. ${parts.join(' ')}`
}

/** Whether a doctor ends with exit code 0: nothing it could check has failed. */
export const isWell = (findings: readonly Finding[]): boolean =>
  findings.every(({ level }) => level !== 'failed')
