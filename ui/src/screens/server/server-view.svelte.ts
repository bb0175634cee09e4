import type { Forecast, ServerDetail, ServerSummary } from '@harbinger/shared/api'
import { HubProblem, readForecast, readSamples, readServer } from '../../live/hub-api.ts'
import { shownMetrics } from '../../words/shown-metrics.ts'
import { type History, toHistory, withReading } from './history.ts'

const minute = 60_000
/** Two minutes are a pixel or two of a chart that is 32 hours wide. */
const stepSeconds = 120
/** Points from the stream are finer than the rest; every quarter of an hour they are read again as steps. */
const rereadMs = 15 * minute
/** A burst of changed rows is one question to the hub. */
const settleMs = 700

/** One server as its page shows it: read once, then moved on by the rows of the stream. */
export class ServerView {
  detail = $state.raw<ServerDetail | null>(null)
  forecast = $state.raw<Forecast | null>(null)
  history = $state.raw<ReadonlyMap<string, History>>(new Map())
  problem = $state<string | null>(null)
  missing = $state(false)
  readonly #name: string
  readonly #now: () => number
  readonly #abort = new AbortController()
  #readAt = 0
  #factsAt = 0
  #fingerprint = ''
  #again: ReturnType<typeof setTimeout> | undefined

  constructor(name: string, now: () => number) {
    this.#name = name
    this.#now = now
  }

  async load(): Promise<void> {
    this.#readAt = this.#now()
    await Promise.all([this.#readFacts(), this.#readHistory()])
  }

  close(): void {
    clearTimeout(this.#again)
    this.#abort.abort()
  }

  /** A row of the stream: its readings go to the charts; a new forecast or risk is fetched. */
  heard(row: ServerSummary): void {
    if (row.lastSeen !== null && this.history.size > 0) {
      const at = Date.parse(row.lastSeen)
      this.history = new Map(
        shownMetrics.map((shown) => {
          const known = this.history.get(shown.key)!
          const value = row.metrics[shown.metric]?.now
          return [
            shown.key,
            value == null ? known : withReading(known, { at, value }, shown, 6 * minute),
          ]
        }),
      )
    }
    if (this.#now() - this.#readAt > rereadMs) void this.load()

    const fingerprint = forecastFingerprint(row)
    const isNew = this.#fingerprint !== '' && fingerprint !== this.#fingerprint
    if (isNew || this.#isForecastDue()) {
      clearTimeout(this.#again)
      this.#again = setTimeout(() => void this.#readFacts(), settleMs)
    }
    this.#fingerprint = fingerprint
  }

  /** A new forecast can leave every number of the row as it was. */
  #isForecastDue(): boolean {
    if (this.forecast === null) return false
    const now = this.#now()
    return now - Date.parse(this.forecast.issuedAt) > 2 * minute && now - this.#factsAt > minute
  }

  async #readFacts(): Promise<void> {
    this.#factsAt = this.#now()
    await this.#attempt(async () => {
      this.detail = await readServer(this.#name, this.#abort.signal)
      this.missing = false
    })
    if (this.missing) return
    await this.#attempt(async () => {
      this.forecast = await readForecast(this.#name, this.#abort.signal)
    })
  }

  async #readHistory(): Promise<void> {
    const to = this.#now()
    await this.#attempt(async () => {
      const samples = await readSamples(
        this.#name,
        { from: to - 24 * 60 * minute, to, stepSeconds },
        this.#abort.signal,
      )
      this.history = new Map(shownMetrics.map((shown) => [shown.key, toHistory(samples, shown)]))
    })
  }

  async #attempt(read: () => Promise<void>): Promise<void> {
    try {
      await read()
      this.problem = null
    } catch (error) {
      if (this.#abort.signal.aborted) return
      if (error instanceof HubProblem && error.status === 404 && this.detail === null)
        this.missing = true
      else this.problem = `Not everything could be read: ${(error as Error).message}`
    }
  }
}

/** What changes in a row when the hub issues a forecast or judges anew. */
function forecastFingerprint(row: ServerSummary): string {
  const {
    severity,
    state,
    risk,
    riskPredicted,
    source,
    abstained,
    timeToThreshold,
    conflict,
    presence,
  } = row
  const medians = Object.values(row.metrics).map((metric) => metric?.in30Minutes)
  return JSON.stringify([
    severity,
    state,
    risk,
    riskPredicted,
    source,
    abstained,
    timeToThreshold,
    conflict,
    presence,
    medians,
  ])
}
