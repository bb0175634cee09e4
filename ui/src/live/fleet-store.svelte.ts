import type { Fleet, FleetSnapshot, ServerSummary } from '@harbinger/shared/api'
import { retryAfterMs } from './backoff.ts'
import { lookWhoWeAre, streamPath } from './hub-api.ts'

export type Link = 'connecting' | 'live' | 'reconnecting'

/** Without a word for this long the connection may be half open, which the browser cannot see. */
const silentMs = 60_000

/** The fleet as the browser knows it: replaced row by row as the hub speaks. */
export class FleetStore {
  #rows = $state.raw<ReadonlyMap<string, ServerSummary>>(new Map())
  #fleet = $state.raw<Fleet | null>(null)
  #link = $state<Link>('connecting')
  #heardAt = $state<number | null>(null)
  readonly #now: () => number
  readonly #random: () => number
  #source: EventSource | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #attempt = 0

  readonly servers = $derived([...this.#rows.values()])

  constructor(now: () => number, random: () => number) {
    this.#now = now
    this.#random = random
  }

  get rows(): ReadonlyMap<string, ServerSummary> {
    return this.#rows
  }

  get fleet(): Fleet | null {
    return this.#fleet
  }

  get link(): Link {
    return this.#link
  }

  /** When the hub last spoke; what is on the screen is at least this old. */
  get heardAt(): number | null {
    return this.#heardAt
  }

  /** Names are matched without regard to case, as the hub does. */
  find(name: string): ServerSummary | undefined {
    const exact = this.#rows.get(name)
    if (exact) return exact
    const lower = name.toLowerCase()
    return this.servers.find((row) => row.name.toLowerCase() === lower)
  }

  start(): () => void {
    this.#open()
    const wake = () => {
      if (document.visibilityState === 'visible' && this.#link === 'reconnecting') this.reconnect()
    }
    const watchdog = setInterval(() => {
      const quiet = this.#heardAt === null ? 0 : this.#now() - this.#heardAt
      if (this.#link === 'live' && quiet > silentMs && this.#rows.size > 0) this.#open()
    }, 15_000)
    addEventListener('online', wake)
    document.addEventListener('visibilitychange', wake)
    return () => {
      clearInterval(watchdog)
      clearTimeout(this.#retry)
      removeEventListener('online', wake)
      document.removeEventListener('visibilitychange', wake)
      this.#source?.close()
      this.#link = 'connecting'
      // Whoever looks next may be somebody else.
      this.#fleet = null
      this.#rows = new Map()
      this.#heardAt = null
    }
  }

  reconnect(): void {
    this.#attempt = 0
    this.#open()
  }

  #open(): void {
    clearTimeout(this.#retry)
    this.#source?.close()
    const source = new EventSource(streamPath)
    this.#source = source
    source.onopen = () => {
      this.#attempt = 0
      this.#link = 'live'
    }
    source.onerror = () => {
      this.#link = 'reconnecting'
      // While it is CONNECTING the browser retries by itself, with Last-Event-ID; when CLOSED it has given up.
      if (source.readyState === EventSource.CLOSED) {
        // It does not tell why: the session may be over.
        dispatchEvent(new Event(lookWhoWeAre))
        this.#retry = setTimeout(() => this.#open(), retryAfterMs(this.#attempt++, this.#random))
      }
    }
    const on = <T>(event: string, take: (data: T) => void) =>
      source.addEventListener(event, (message) => {
        this.#heardAt = this.#now()
        this.#link = 'live'
        take(JSON.parse((message as MessageEvent<string>).data) as T)
      })
    on<FleetSnapshot>('snapshot', ({ fleet, servers }) => {
      this.#fleet = fleet
      this.#rows = new Map(servers.map((row) => [row.name, row]))
    })
    on<ServerSummary[]>('servers', (changed) => {
      const rows = new Map(this.#rows)
      for (const row of changed) rows.set(row.name, row)
      this.#rows = rows
    })
    on<string[]>('removed', (names) => {
      const rows = new Map(this.#rows)
      for (const name of names) rows.delete(name)
      this.#rows = rows
    })
    on<Fleet>('fleet', (fleet) => {
      this.#fleet = fleet
    })
  }
}
