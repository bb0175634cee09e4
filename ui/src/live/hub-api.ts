import type { Accuracy } from '@harbinger/shared/accuracy'
import type {
  Forecast,
  Health,
  Problem,
  Samples,
  Scenario,
  ServerDetail,
} from '@harbinger/shared/api'

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

async function ask(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(apiPrefix + path, init)
  if (response.ok) return response
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
