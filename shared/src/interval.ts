/** Seconds between two samples of a server: the least and the most an agent takes, and what it does untold. */
export const minIntervalSeconds = 1
export const maxIntervalSeconds = 300
export const defaultIntervalSeconds = 10

/** At what interval an agent samples, and who says so: its own configuration, or the hub. */
export type IntervalInForce = {
  readonly seconds: number
  /** What its own configuration says. */
  readonly own: number
  readonly from: 'own' | 'hub'
}

/** What a message on the config topic asks of an agent; `seconds` is null when nothing is asked any more. */
export type AskedInterval = { readonly seconds: number | null } | { readonly rejected: string }

/**
 * Reads a message on the config topic. By hand, and held against AgentConfigSchema by its test: the library of schemas
 * would cost every agent memory for this one number. Fields that are not known are left for later versions.
 */
export function readAgentConfig(payload: string): AskedInterval {
  // An empty retained message is one that is taken back [MQTT-3.3.1-10].
  if (payload === '') return { seconds: null }
  let message: unknown
  try {
    message = JSON.parse(payload)
  } catch {
    return { rejected: `expected JSON, got ${shown(payload)}` }
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return { rejected: `expected {"intervalSeconds": …}, got ${shown(payload)}` }
  }
  const { intervalSeconds: seconds } = message as { readonly intervalSeconds?: unknown }
  return isInterval(seconds)
    ? { seconds }
    : {
        rejected: `intervalSeconds: expected a whole number from ${minIntervalSeconds} to ${maxIntervalSeconds}, got ${shown(JSON.stringify(seconds) ?? 'nothing')}`,
      }
}

export const isInterval = (value: unknown): value is number =>
  Number.isInteger(value) &&
  (value as number) >= minIntervalSeconds &&
  (value as number) <= maxIntervalSeconds

const shown = (text: string): string => text.slice(0, 80)
