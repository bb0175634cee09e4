import type { IntervalEstimate, RuleKind } from './intervals-api.ts'

/** The same words on the screen and on the command line. */

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in two digits, which is what the measurement is good for: "31 MB". */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  // From here on two digits are a thousand.
  while (value >= (unit === 0 ? 999.5 : 995) && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  if (unit === 0) return `${Math.round(value)} bytes`
  const digits = value >= 100 ? Math.round(value / 10) * 10 : value.toPrecision(2)
  return `${digits} ${units[unit]!}`
}

const serversText = (n: number): string => `${n} ${n === 1 ? 'server' : 'servers'}`

const lately = (minutes: number): string =>
  minutes >= 59.5
    ? 'the last hour'
    : minutes < 1.5
      ? 'the last minute'
      : `the last ${Math.round(minutes)} minutes`

const nobody: { readonly [kind in RuleKind]: string } = {
  server: 'No server of this name is known',
  tag: 'No server has this tag',
  profile: 'No server has this profile',
}

/** What a change of a rule does, in sentences for who is about to save it. */
export function estimateText(kind: RuleKind, estimate: IntervalEstimate): string {
  const { servers, touched, decidedByOthers, measured, minutes, bytesPerDay } = estimate
  if (servers === 0) return `${nobody[kind]}: nothing changes now; one that comes follows the rule.`
  if (touched === 0) {
    return `Another rule decides for ${servers === 1 ? 'this server' : `all ${servers} servers`}: nothing changes.`
  }
  const others =
    decidedByOthers === 0 ? '' : ` For ${serversText(decidedByOthers)} more another rule decides.`
  if (bytesPerDay === null) {
    return `${serversText(touched)}; bytes a day are unknown: none of them was measured in ${lately(minutes)}.${others}`
  }
  const { now, then } = bytesPerDay
  const from = `measured over ${lately(minutes)} from ${measured} of ${serversText(touched)}`
  return `${serversText(touched)}: now ${bytesText(now)} a day, then ${bytesText(then)} a day, ${from}.${others}`
}
