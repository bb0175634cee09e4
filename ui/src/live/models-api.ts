import type { ModelCard, Models, Training, Trainings } from '@harbinger/shared/models-api'
import { ask } from './hub-api.ts'

const post = (path: string, body: object): Promise<Response> =>
  ask(path, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })

export const readModels = async (): Promise<Models> => (await ask('/models')).json()
export const readTrainings = async (): Promise<Trainings> => (await ask('/training')).json()
export const readModelCard = async (id: string): Promise<ModelCard> =>
  (await ask(`/models/${encodeURIComponent(id)}`)).json()

export async function promoteModel(id: string, force?: string): Promise<void> {
  await post(`/models/${encodeURIComponent(id)}/promote`, force ? { force } : {})
}
export async function rollBackModel(reason: string): Promise<void> {
  await post('/models/rollback', { reason })
}
export const beginTraining = async (from: 'serving' | 'fresh'): Promise<Training> =>
  (await post('/training', { from })).json()
export async function cancelTraining(id: number): Promise<void> {
  await post(`/training/${id}/cancel`, {})
}
