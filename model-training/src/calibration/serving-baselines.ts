import { type BaselineName, baselineNames } from '@harbinger/shared/forecast/baseline-names'
import type { Manifest } from '@harbinger/shared/model'

/** The baselines that serve some metric or profile, and the one that serves where nothing else does. */
export function servingBaselines(serves: Manifest['serves'] | undefined): readonly BaselineName[] {
  const chosen = new Set<string>(['seven-day-mean-level'])
  for (const { contender, profiles = {} } of Object.values(serves ?? {})) {
    chosen.add(contender)
    for (const choice of Object.values(profiles)) chosen.add(choice.contender)
  }
  return baselineNames.filter((name) => chosen.has(name))
}
