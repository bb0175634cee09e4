import type { Profile } from '@harbinger/shared/profiles'
import type { Series } from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'
import { inSlices } from '../window/slices.ts'
import { type RecentInputs, recentInputs } from './recent-inputs.ts'

/** Fewer servers cannot tell a shifted feed from the trouble of one of them. */
export const fewestServers = 5
/** Servers of profiles with fewer servers than that, taken together. */
export const otherServers = ''

/** What the servers of one profile say of one metric together, now. */
export type GroupInputs = {
  /** Middle of ln(now ÷ a week ago) over the servers, and how many have it; NaN below `fewestServers`. */
  readonly shift: number
  readonly compared: number
  /** Servers that report and measured this yesterday at this time, and how many of them do not now. */
  readonly expected: number
  readonly missing: number
  /** Servers that measure it now. */
  readonly measured: number
}

type WatchedServer = { readonly id: number; readonly profile: Profile }

/** Which group a server belongs to: its profile, where there are enough of them. */
export function groupsOf(servers: Iterable<WatchedServer>): (profile: Profile) => string {
  const counts = new Map<Profile, number>()
  for (const { profile } of servers) counts.set(profile, (counts.get(profile) ?? 0) + 1)
  return (profile) => ((counts.get(profile) ?? 0) >= fewestServers ? profile : otherServers)
}

/** Looks at every server's last half hour; the event loop has its turn in between. Per group, per network metric. */
export async function groupInputs(
  servers: readonly WatchedServer[],
  { series, at }: { readonly series: (id: number) => Series; readonly at: number },
): Promise<Map<string, GroupInputs[]>> {
  const groupOf = groupsOf(servers)
  const members = new Map<string, RecentInputs[]>()
  await inSlices(servers, ({ id, profile }) => {
    const inputs = recentInputs(series(id), at)
    if (!inputs.reports) return
    const group = groupOf(profile)
    const list = members.get(group)
    if (list) list.push(inputs)
    else members.set(group, [inputs])
  })
  return new Map(
    [...members].map(([group, inputs]) => [
      group,
      Array.from({ length: V }, (_, v) => together(inputs, v)),
    ]),
  )
}

function together(inputs: readonly RecentInputs[], v: number): GroupInputs {
  const ratios = inputs.map(({ ratio }) => ratio[v]!).filter((value) => !Number.isNaN(value))
  const expected = inputs.filter(({ before }) => before[v] === 1)
  return {
    shift: ratios.length >= fewestServers ? middle(ratios) : NaN,
    compared: ratios.length,
    expected: expected.length,
    missing: expected.filter(({ now }) => now[v] === 0).length,
    measured: inputs.filter(({ now }) => now[v] === 1).length,
  }
}

function middle(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
