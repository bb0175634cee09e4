/** What a server is for. The position in this list is the model's profile id minus one; 0 is unknown. */
export const profiles = [
  'ml_compute',
  'database',
  'web_api',
  'conductor_mgmt',
  'data_ingest',
  'risk_analytics',
  'generic',
] as const

export type Profile = (typeof profiles)[number]

export const isProfile = (value: string): value is Profile =>
  (profiles as readonly string[]).includes(value)

/** The model's input for a profile; null or undefined is "unknown", which the model is trained for. */
export const profileId = (profile: Profile | null | undefined): number =>
  profile == null ? 0 : profiles.indexOf(profile) + 1

/** A server whose name contains `pattern` has `profile`; matched without regard to case. */
export type ProfileRule = { readonly pattern: string; readonly profile: Profile }

/** Tried in this order after the operator's own rules; the first match wins. */
export const defaultProfileRules: readonly ProfileRule[] = [
  { pattern: '(ppml|ppgpu|cptrain|ml-node-)\\d+', profile: 'ml_compute' },
  { pattern: '(ppdb|psdb|oracle|mongo|postgres|mysql)\\d+', profile: 'database' },
  { pattern: '(ppweb|ppapi|nginx|tomcat|api-server-)\\d+', profile: 'web_api' },
  { pattern: '(ppcon|conductor|egomgmt|maestro)\\d+', profile: 'conductor_mgmt' },
  { pattern: '(ppetl|ppkafka|stream|spark|flink)\\d+', profile: 'data_ingest' },
  { pattern: '(pprisk|varrisk|credit|quant)\\d+', profile: 'risk_analytics' },
]

export type ProfileEvidence = {
  readonly setByOperator?: Profile | undefined
  readonly setByAgent?: Profile | undefined
  readonly operatorRules?: readonly ProfileRule[]
}

export type ProfileSource = 'operator' | 'agent' | 'rule' | 'default'

/** Operator before agent before hostname rules before `generic`; says which of them decided. */
export function decideProfile(
  server: string,
  { setByOperator, setByAgent, operatorRules = [] }: ProfileEvidence = {},
): { readonly profile: Profile; readonly source: ProfileSource } {
  if (setByOperator) return { profile: setByOperator, source: 'operator' }
  if (setByAgent) return { profile: setByAgent, source: 'agent' }
  for (const { pattern, profile } of [...operatorRules, ...defaultProfileRules]) {
    if (new RegExp(pattern, 'i').test(server)) return { profile, source: 'rule' }
  }
  return { profile: 'generic', source: 'default' }
}
