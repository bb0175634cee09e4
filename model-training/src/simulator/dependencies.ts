import type { Profile } from '@harbinger/shared/profiles'
import { draws } from './random.ts'

/** Who needs whom: trouble walks from right to left. */
export const dependsOn: { readonly [profile in Profile]?: readonly Profile[] } = {
  web_api: ['database'],
  data_ingest: ['database'],
  risk_analytics: ['database'],
  conductor_mgmt: ['database'],
  ml_compute: ['conductor_mgmt', 'data_ingest'],
}

/** For each server the servers it needs (by index): up to two of each profile its own depends on. */
export function dependencyGraph(
  seed: number,
  servers: readonly { readonly profile: Profile }[],
): readonly (readonly number[])[] {
  const ofProfile = (profile: Profile): readonly number[] =>
    servers.flatMap((server, i) => (server.profile === profile ? [i] : []))
  return servers.map(({ profile }, i) => {
    const { pick } = draws(seed, 0xde9, i)
    return (dependsOn[profile] ?? []).flatMap((needed) => {
      const candidates = ofProfile(needed)
      if (candidates.length === 0) return []
      return [...new Set([pick(candidates), pick(candidates)])]
    })
  })
}
