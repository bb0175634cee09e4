import type { Explanation, WhatIf, WhatIfRequest } from '@harbinger/shared/explanation'
import type { MetricName } from '@harbinger/shared/metrics'
import { abstainReason } from '@harbinger/shared/window/window'
import type { Series } from '@harbinger/shared/window/series'
import type { Instead } from '../forecast/forecast-rows.ts'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { Server } from '../storage/server-store.ts'
import { assessServer } from '../view/assess-server.ts'
import { offlineAbstains } from '../view/rows.ts'
import type { Assess, AskedServer, Examine } from './asked-server.ts'
import { type Episodes } from './episodes/episodes.ts'
import { explain } from './explain.ts'
import { type Refused, whatIf } from './what-if.ts'

export type ExplainerOptions = {
  readonly now: () => number
  readonly find: (name: string) => Server | undefined
  readonly series: (serverId: number) => Series
  /** The forecast of the last cycle. */
  readonly served: (server: Server) => ServerForecast | undefined
  /** Metrics of a server that are served by the baseline for now. */
  readonly instead?: (server: Server) => Instead | undefined
  readonly isConflict: (name: string) => boolean
  readonly isOffline: (server: Server) => boolean
  readonly examine: Examine
  readonly episodes: Pick<Episodes, 'similar'>
}

export type Explainer = ReturnType<typeof openExplainer>

/** Answers "why" and "what if" about one server; undefined when there is no such server. */
export function openExplainer({
  now,
  find,
  series,
  served,
  instead,
  isConflict,
  isOffline,
  examine,
  episodes,
}: ExplainerOptions) {
  const assess: Assess = ({ server, series: known, now: at }, forecast) =>
    assessServer({
      ...{ server, series: known, now: at, forecast },
      ...{ before: undefined, conflict: isConflict(server.name) },
      // Asked of what was measured last, however long ago that was.
      presence: { state: 'heard', why: null, since: null },
    })
  const ask = (server: Server): AskedServer => {
    const known = series(server.id)
    const at = now()
    return {
      ...{ server, series: known, now: at, instead: instead?.(server) },
      abstained: isOffline(server) ? offlineAbstains : abstainReason(known, at),
    }
  }
  const timed = async <Answer extends object>(
    work: Promise<Answer>,
  ): Promise<Answer & { tookMs: number }> => {
    const began = performance.now()
    const answer = await work
    return { ...answer, tookMs: Math.round((performance.now() - began) * 10) / 10 }
  }

  return {
    async explanation(name: string, metric?: MetricName): Promise<Explanation | undefined> {
      const server = find(name)
      if (!server) return undefined
      return timed(
        explain(ask(server), {
          ...{ examine, assess, asked: metric, served: served(server) },
          similar: () => episodes.similar(server, now()),
        }),
      )
    },

    async whatIf(name: string, request: WhatIfRequest): Promise<WhatIf | Refused | undefined> {
      const server = find(name)
      if (!server) return undefined
      return timed(whatIf(ask(server), request, { examine, assess }))
    },
  }
}
