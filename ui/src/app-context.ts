import { createContext } from 'svelte'
import type { Appearance } from './appearance.svelte.ts'
import type { Clock } from './clock.svelte.ts'
import type { FleetStore } from './live/fleet-store.svelte.ts'
import type { Session } from './live/session.svelte.ts'
import type { Router } from './router.svelte.ts'

/** What every screen may use; made once in App.svelte. */
export type App = {
  readonly clock: Clock
  readonly router: Router
  readonly appearance: Appearance
  readonly fleet: FleetStore
  readonly session: Session
}

export const [getApp, setApp] = createContext<App>()
