import type { Health } from '@harbinger/shared/api'
import type { Config } from '../../config.ts'
import type { DatabaseLook } from '../../storage/look-at-database.ts'

/** What is known when the checks begin. */
export type Asked = {
  readonly config: Config
  readonly now: number
  /** Takes the time that a whole look takes. */
  readonly isFull: boolean
  readonly hub: HubProcess
  /** Undefined when there is no database yet. */
  readonly database: DatabaseLook | undefined
}

/** The hub on this data folder. */
export type HubProcess =
  | {
      readonly state: 'answers'
      readonly pid: number
      readonly address: string
      readonly health: Health
    }
  | { readonly state: 'silent'; readonly pid: number; readonly address: string }
  | { readonly state: 'none' }
  /** This user may not know. */
  | { readonly state: 'hidden'; readonly file: string }

export const asRoot = 'run it as root: sudo harbinger doctor'

/** The time of a check that waits for something outside. */
export const stepMs = 4_000
