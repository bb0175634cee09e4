import type { RetiredServers } from '@harbinger/shared/api'
import { ask } from './hub-api.ts'

const post = (path: string, body: object): Promise<Response> =>
  ask(path, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })

export const readRetired = async (): Promise<RetiredServers> => (await ask('/retired')).json()
export async function retireServer(name: string, reason: string): Promise<void> {
  await post(`/servers/${encodeURIComponent(name)}/retire`, { reason })
}
export async function bringBack(name: string): Promise<void> {
  await post(`/servers/${encodeURIComponent(name)}/bring-back`, {})
}
