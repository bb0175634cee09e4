import type { ServerDetail } from '@harbinger/shared/api'

type Interval = ServerDetail['agent']['interval']

/** At what interval a server samples, and why. */
export function intervalText({ seconds, from, own, rule }: Interval): string {
  const ruled = rule && `the rule for ${rule.kind} ${rule.target}`
  if (rule && from === 'hub' && seconds === rule.seconds) {
    const otherwise = own === null ? '' : `; by its own configuration ${own} s`
    return `${seconds} s, by ${ruled}${otherwise}`
  }
  const now = {
    own: `${seconds} s, by its own configuration`,
    hub: `${seconds} s, as the hub asked before`,
    measured: `about ${seconds} s, judged by its samples; this agent does not say`,
  }[from]
  return rule ? `${now}. Not yet as ${ruled} asks: ${rule.seconds} s` : now
}
