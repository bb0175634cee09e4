import { metricNames, type MetricName } from '@harbinger/shared/metrics'
import type { MetricForecast, ServerForecast } from '../forecast/server-forecast.ts'
import type { Database } from './database.ts'

export type ForecastStore = ReturnType<typeof forecastStore>

/** The latest forecast of every server, so that a hub that starts again has something true to show at once. */
export function forecastStore(db: Database) {
  const put = db.prepare(
    `INSERT INTO forecasts (server_id, issued_at, body) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET issued_at = excluded.issued_at, body = excluded.body`,
  )
  const select = db.prepare<[], { body: Buffer }>('SELECT body FROM forecasts')

  return {
    put: (serverId: number, forecast: ServerForecast): void =>
      void put.run(serverId, forecast.issuedAt, toBody(forecast)),
    each(visit: (forecast: ServerForecast) => void): void {
      for (const { body } of select.all()) visit(readBody(body))
    },
  }
}

type Heading = {
  readonly server: string
  readonly issuedAt: number
  readonly windowEnd: number
  readonly abstained: string | null
  readonly metrics: readonly {
    readonly name: MetricName
    readonly source: string
    readonly sourceReason: string
    readonly quantiles: number
    readonly peaks: number
  }[]
}

/** Length of the heading (uint32), the heading in JSON, then the numbers in its order as float32. */
function toBody({ metrics, ...rest }: ServerForecast): Uint8Array {
  const present = metricNames.flatMap((name) => {
    const forecast = metrics[name]
    return forecast ? [{ name, forecast }] : []
  })
  const heading: Heading = {
    ...rest,
    metrics: present.map(({ name, forecast: { source, sourceReason, quantiles, peaks } }) => ({
      name,
      source,
      sourceReason,
      quantiles: quantiles.length,
      peaks: peaks.length,
    })),
  }
  const text = Buffer.from(JSON.stringify(heading))
  const parts = present.flatMap(({ forecast }) => [forecast.quantiles, forecast.peaks])
  const numbers = parts.reduce((sum, part) => sum + part.length, 0)
  const body = Buffer.allocUnsafe(4 + text.length + 4 * numbers)
  body.writeUInt32LE(text.length, 0)
  text.copy(body, 4)
  let offset = 4 + text.length
  for (const part of parts) {
    body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), offset)
    offset += part.byteLength
  }
  return body
}

function readBody(body: Buffer): ServerForecast {
  const start = 4 + body.readUInt32LE(0)
  const { metrics, ...rest } = JSON.parse(body.toString('utf8', 4, start)) as Heading
  // A copy: floats must lie on addresses divisible by four.
  const numbers = new Float32Array(new Uint8Array(body.subarray(start)).buffer)
  let from = 0
  const take = (n: number): Float32Array => numbers.subarray(from, (from += n))
  const forecasts: { [name in MetricName]?: MetricForecast } = {}
  for (const { name, source, sourceReason, quantiles, peaks } of metrics) {
    forecasts[name] = { source, sourceReason, quantiles: take(quantiles), peaks: take(peaks) }
  }
  return { ...rest, metrics: forecasts }
}
