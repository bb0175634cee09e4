import type {
  AgentIdentities,
  EnrolmentTokens,
  MadeToken,
  TokenRequest,
} from '@harbinger/shared/enrolment-api'
import { ask } from './hub-api.ts'

const post = (path: string, body: object): Promise<Response> =>
  ask(path, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })

export const readTokens = async (): Promise<EnrolmentTokens> => (await ask('/tokens')).json()
export const readAgents = async (): Promise<AgentIdentities> => (await ask('/agents')).json()
export const makeToken = async (asked: TokenRequest): Promise<MadeToken> =>
  (await post('/tokens', asked)).json()
export async function revokeToken(id: string): Promise<void> {
  await post(`/tokens/${encodeURIComponent(id)}/revoke`, {})
}
export async function revokeAgent(server: string): Promise<void> {
  await post(`/agents/${encodeURIComponent(server)}/revoke`, {})
}
export async function allowRejoin(server: string): Promise<void> {
  await post(`/agents/${encodeURIComponent(server)}/allow-rejoin`, {})
}
