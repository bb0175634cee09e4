import { resolve } from 'node:path'
import type { SecureContextOptions as SecureServerOptions } from 'node:tls'
import fastifySwagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { apiPrefix } from '@harbinger/shared/api'
import { contractVersion, productVersion } from '@harbinger/shared/version'
import fastify, { type FastifyReply } from 'fastify'
import { collectRoutes } from './access.ts'
import { authoriseRequests } from './authorise.ts'
import { guardRequests, secure } from './guard.ts'
import type { Log } from '../log.ts'
import { answerProblems, problem } from './problems.ts'
import { accuracyRoutes } from './routes/accuracy.ts'
import { agentRoutes } from './routes/agents.ts'
import { auditRoutes } from './routes/audit.ts'
import { documentationRoutes } from './routes/documentation.ts'
import { enrolmentRoutes } from './routes/enrolment.ts'
import { explanationRoutes } from './routes/explanation.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'
import { intervalRoutes } from './routes/intervals.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelRoutes } from './routes/models.ts'
import { sessionRoutes } from './routes/session.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { retiredRoutes } from './routes/retired.ts'
import { scenarioRoutes } from './routes/scenario.ts'
import { serverRoutes } from './routes/server.ts'
import { serversRoutes } from './routes/servers.ts'
import { type StreamCounters, type StreamLimits, streamRoutes } from './routes/stream.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { trainingRoutes } from './routes/training.ts'
import { apiTokenRoutes } from './routes/api-tokens.ts'
import { userInterfaceRoutes } from './routes/user-interface.ts'
import { userRoutes } from './routes/users.ts'
import { whatIfRoutes } from './routes/what-if.ts'
import type { ViewSources } from './view-sources.ts'

export type ViewAppOptions = {
  readonly sources: ViewSources
  /** The address the hub listens on; decides by which names it may be called. */
  readonly host: string
  /** More names the hub may be called by, without port. */
  readonly allowedHosts?: readonly string[]
  /** The built user interface; while it does not exist, a page says so. */
  readonly uiDirectory: string
  readonly log: Log
  readonly stream?: StreamLimits
  /** Proxies whose word is taken on where a request comes from, and whether it came by https. */
  readonly trustedProxies?: readonly string[]
  /** Key and certificate; undefined is HTTP in the clear. */
  readonly https?: SecureServerOptions | undefined
  /** How long browsers that came by https are to insist on it; 0 is not at all. */
  readonly hstsSeconds?: number
}

/** Everything the hub answers over HTTP, apart from listening. */
export async function viewApp(options: ViewAppOptions) {
  const { sources, host, allowedHosts, log, stream = {}, https, hstsSeconds = 0 } = options
  const { trustedProxies = [] } = options
  const uiDirectory = resolve(options.uiDirectory)
  const app = fastify({
    logger: false,
    https: https ?? null,
    forceCloseConnections: true,
    bodyLimit: 64 * 1024,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    routerOptions: { maxParamLength: 300 },
    // An address that cannot even be read reaches no hook.
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      secure(reply)
      void reply.code(400).send(problem('invalid_request', error.message))
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  const counters: StreamCounters = { clients: 0, dropped: 0 }

  // Answers are typed where they are made; serialising by schema would only look at every number again.
  app.setSerializerCompiler(() => JSON.stringify)
  app.removeContentTypeParser('text/plain')
  answerProblems(app, { log, uiDirectory })
  guardRequests(app, { host, allowedHosts, hstsSeconds })
  authoriseRequests(app, { people: sources.people, log })
  const routes = collectRoutes(app)

  await app.register(fastifySwagger, { openapi: description })
  await app.register(documentationRoutes)
  await app.register(healthRoutes, { prefix: apiPrefix, ...sources })
  await app.register(accuracyRoutes, { prefix: apiPrefix, accuracy: sources.accuracy })
  await app.register(fleetRoutes, { prefix: apiPrefix, fleet: sources.fleet })
  await app.register(serversRoutes, { prefix: apiPrefix, servers: sources.servers })
  await app.register(serverRoutes, { prefix: apiPrefix, ...sources })
  await app.register(retiredRoutes, { prefix: apiPrefix, ...sources })
  await app.register(explanationRoutes, { prefix: apiPrefix, ...sources })
  await app.register(whatIfRoutes, { prefix: apiPrefix, ...sources })
  await app.register(modelRoutes, { prefix: apiPrefix, ...sources })
  await app.register(trainingRoutes, { prefix: apiPrefix, ...sources })
  await app.register(enrolmentRoutes, { prefix: apiPrefix, ...sources })
  await app.register(tokenRoutes, { prefix: apiPrefix, ...sources })
  await app.register(agentRoutes, { prefix: apiPrefix, ...sources })
  await app.register(intervalRoutes, { prefix: apiPrefix, ...sources })
  await app.register(scenarioRoutes, { prefix: apiPrefix, setScenario: sources.setScenario })
  await app.register(streamRoutes, { prefix: apiPrefix, ...sources, limits: stream, counters })
  for (const routes of [sessionRoutes, signInRoutes, userRoutes, apiTokenRoutes, auditRoutes]) {
    await app.register(routes, { prefix: apiPrefix, people: sources.people })
  }
  await app.register(metricsRoutes, { ...sources, stream: counters })
  await app.register(userInterfaceRoutes, { uiDirectory })
  await app.ready()
  return { app, routes: routes() }
}

const description = {
  openapi: '3.1.0',
  info: {
    title: 'Harbinger',
    version: productVersion,
    description: `Predictive monitoring of server fleets. Contract ${contractVersion}. Times are ISO 8601 in UTC; what is not known is null, never 0.`,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  tags: [
    { name: 'fleet', description: 'All servers together' },
    { name: 'servers', description: 'Each server' },
    { name: 'hub', description: 'The hub itself' },
    { name: 'people', description: 'Who may look and who may change what' },
  ],
}
