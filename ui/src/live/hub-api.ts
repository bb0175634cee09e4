import type { Accuracy } from '@harbinger/shared/accuracy'
import type {
  Forecast,
  Health,
  Problem,
  RetiredServers,
  Samples,
  Scenario,
  ServerDetail,
} from '@harbinger/shared/api'

import type { Explanation, WhatIf, WhatIfRequest } from '@harbinger/shared/explanation'
import type { MetricName } from '@harbinger/shared/metrics'

// A value import of the API module would bring its schemas into the bundle; types cost nothing.
const apiPrefix = '/api/v1'

export const streamPath = `${apiPrefix}/stream`

/** What the hub answered when it could not do what was asked, in its own words. */
export class HubProblem extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Said in the window when the hub may no longer know who we are. */
export const lookWhoWeAre = 'harbinger-who'

export async function ask(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(apiPrefix + path, init)
  if (response.ok) return response
  if (response.status === 401 && path !== '/session' && path !== '/set-up') {
    dispatchEvent(new Event(lookWhoWeAre))
  }
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined
  throw new HubProblem(
    response.status,
    problem?.error?.message ?? `the hub answered ${response.status}`,
  )
}

const server = (name: string) => `/servers/${encodeURIComponent(name)}`

export const readServer = async (name: string, signal: AbortSignal): Promise<ServerDetail> =>
  (await ask(server(name), { signal })).json()

export const readForecast = async (name: string, signal: AbortSignal): Promise<Forecast> =>
  (await ask(`${server(name)}/forecast`, { signal })).json()

/** Of the metric asked for, else of the most pressing one. */
export const readExplanation = async (
  name: string,
  metric: MetricName | undefined,
  signal: AbortSignal,
): Promise<Explanation> =>
  (await ask(`${server(name)}/explanation${metric ? `?metric=${metric}` : ''}`, { signal })).json()

export const askWhatIf = async (
  name: string,
  request: WhatIfRequest,
  signal: AbortSignal,
): Promise<WhatIf> =>
  (
    await ask(`${server(name)}/what-if`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal,
    })
  ).json()

export async function readSamples(
  name: string,
  range: { readonly from: number; readonly to: number; readonly stepSeconds: number },
  signal: AbortSignal,
): Promise<Samples> {
  const query = new URLSearchParams({
    from: new Date(range.from).toISOString(),
    to: new Date(range.to).toISOString(),
    step: String(range.stepSeconds),
  })
  return (await ask(`${server(name)}/samples?${query}`, { signal })).json()
}

const post = (path: string, body: object): Promise<Response> =>
  ask(path, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })

export const readRetired = async (): Promise<RetiredServers> => (await ask('/retired')).json()
export async function retireServer(name: string, reason: string): Promise<void> {
  await post(`${server(name)}/retire`, { reason })
}
export async function bringBack(name: string): Promise<void> {
  await post(`${server(name)}/bring-back`, {})
}

export const readAccuracy = async (signal: AbortSignal): Promise<Accuracy> =>
  (await ask('/accuracy', { signal })).json()

/** The hub's health, and what its clock says. */
export async function readHealth(): Promise<{ health: Health; hubAt: number | undefined }> {
  const response = await ask('/health')
  const date = Date.parse(response.headers.get('date') ?? '')
  return { health: await response.json(), hubAt: Number.isNaN(date) ? undefined : date }
}

export async function setScenario(scenario: Scenario): Promise<void> {
  await ask('/scenario', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario }),
  })
}
