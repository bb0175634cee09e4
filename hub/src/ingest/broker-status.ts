/** Through which broker the hub hears agents. */
export type BrokerStatus = {
  readonly kind: 'embedded' | 'external'
  readonly address: string
  readonly connected: boolean
  /** ISO 8601: since when it is so. */
  readonly since: string
  /** Why it is not connected. */
  readonly reason: string | null
}
