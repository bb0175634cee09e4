import { Readable } from 'node:stream'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { fleetText, forecastText, hubText, serversText } from '../metrics-text.ts'
import { prometheusContentType } from '../prometheus.ts'
import type { ViewSources } from '../view-sources.ts'
import type { StreamCounters } from './stream.ts'

type Options = Pick<ViewSources, 'health' | 'fleet' | 'servers' | 'forecast' | 'now'> & {
  readonly stream: StreamCounters
}

/** Servers whose forecasts are written before the hub turns to other work. */
const serversPerTurn = 5

/** What Prometheus reads. */
export const metricsRoutes: FastifyPluginAsyncTypebox<Options> = async (app, sources) => {
  app.get(
    '/metrics',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Health, risk and forecasts in the text format of Prometheus',
        tags: ['hub'],
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      // A thousand servers are some 60,000 lines: they leave as they are made.
      const text = Readable.from(metricsText(sources)) as unknown as string
      return reply.type(prometheusContentType).send(text)
    },
  )
}

async function* metricsText(sources: Options): AsyncGenerator<string> {
  const rows = sources.servers()
  yield hubText(sources.health(), sources.stream)
  yield fleetText(sources.fleet())
  yield serversText(rows)
  yield forecastText.head
  for (let i = 0; i < rows.length; i += serversPerTurn) {
    let text = ''
    for (const { name } of rows.slice(i, i + serversPerTurn)) {
      const forecast = sources.forecast(name)
      if (forecast) text += forecastText.of(forecast, sources.now())
    }
    yield text
    await new Promise(setImmediate)
  }
}
