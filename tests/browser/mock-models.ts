import type { IncomingMessage } from 'node:http'
import {
  type ModelSummary,
  type Models,
  ModelsSchema,
  type Training,
  type Trainings,
  TrainingsSchema,
} from '@harbinger/shared/models-api'
import { Compile } from 'typebox/compile'

const AllModels = Compile(ModelsSchema)
const AllTrainings = Compile(TrainingsSchema)

const model = (id: string, state: ModelSummary['state'], wqlRatio: number): ModelSummary => ({
  ...{ id, state, refused: null, kind: 'tft', trainedAt: '2026-02-20T03:12:00.000Z' },
  parent: id === 'tft-base' ? null : 'tft-base',
  trainedOn: [
    {
      ...{ name: 'own history', servers: 74, simulated: false },
      ...{ from: '2026-02-06T00:00:00.000Z', to: '2026-02-18T00:00:00.000Z' },
    },
  ],
  scores: { wqlRatio, coverage80: 0.801 },
  serves: { model: 10, baseline: 2 },
  isBase: id === 'tft-base',
})

const conditions = [
  ['skill gain', 'holds', '4.2 % (95 % interval 1.1 % to 7.0 %) on 6780 windows of 60 servers'],
  ['coverage', 'fails', '75.1 %'],
  ['recall', 'unknown', 'there was no incident to foresee'],
] as const

/** Models and trainings as a hub tells them; what is asked of it changes what it says next. */
export function mockModels() {
  let serving = 'tft-second'
  let previous: string | null = 'tft-base'
  let training: Training | undefined
  const decisions: Models['decisions'] = [
    {
      ...{ at: '2026-02-21T09:00:00.000Z', model: 'tft-second', kind: 'promoted', by: 'hub' },
      reason: 'every condition holds',
    },
  ]

  const models = (): Models => ({
    models: [
      model('tft-third', 'challenger', 0.874),
      model('tft-second', serving === 'tft-second' ? 'serving' : 'kept', 0.893),
      {
        ...model('broken', 'refused', 1),
        ...{ id: null, refused: 'models/broken: weights.bin has SHA-256 0123…' },
      },
      model('tft-base', serving === 'tft-base' ? 'serving' : 'kept', 0.921),
    ],
    serving: {
      ...{ id: serving, since: '2026-02-21T09:00:00.000Z', by: 'hub', pinned: false, previous },
      ...{ reason: 'every condition holds', problem: null },
    },
    challenger: {
      id: 'tft-third',
      conditions: conditions.map(([name, state, found]) => ({
        ...{ name, state, found },
        needs: 'what the design asks for',
      })),
      shadow: { state: 'unknown', found: 'nothing that it said has been scored yet' },
      promotesItself: true,
    },
    decisions: [...decisions],
    nextCursor: null,
  })

  const trainings = (): Trainings => {
    // Each look finds it a little further.
    if (training?.state === 'running' && training.step! < 390) {
      const step = training.step! + 25
      const loss = { step, loss: 0.4 + 1 / step, wql: 0.055 + 0.3 / step }
      training = { ...training, step, share: step / 400, losses: [...training.losses, loss] }
    }
    return {
      trainings: training ? [training] : [],
      limits: {
        everyDays: 7,
        hoursBetween: 24,
        perWeek: 3,
        quietHours: '08:00-18:00',
        minutes: 30,
      },
      nextCursor: null,
    }
  }

  async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
    let body = ''
    for await (const chunk of request) body += chunk
    return JSON.parse(body) as Record<string, string>
  }

  function decide(id: string, kind: string, reason: string): void {
    previous = kind === 'promoted' ? serving : null
    serving = id
    decisions.unshift({ at: '2026-02-22T09:00:00.000Z', model: id, kind, by: 'operator', reason })
  }

  return {
    /** The answer and its status, or undefined for what it does not know. */
    async answer(request: IncomingMessage, path: string): Promise<[number, unknown] | undefined> {
      if (request.method === 'GET' && path === '/models') return [200, checked(AllModels, models())]
      if (request.method === 'GET' && path === '/training')
        return [200, checked(AllTrainings, trainings())]
      if (request.method !== 'POST') return undefined
      const body = await bodyOf(request)
      if (path === '/models/rollback') {
        decide('tft-base', 'rolled back', body['reason']!)
        return [200, { id: 'tft-base', reason: body['reason'] }]
      }
      if (path.endsWith('/promote')) {
        if (!body['force'])
          return [409, { error: { code: 'refused', message: 'coverage fails: 75.1 %' } }]
        decide('tft-third', 'promoted', `forced: ${body['force']}`)
        return [200, { id: 'tft-third', reason: body['force'] }]
      }
      if (path === '/training') {
        training = {
          ...{ id: 4, state: 'running', reason: 'operator', detail: 'asked for by an operator' },
          ...{ requestedAt: '2026-02-22T09:00:00.000Z', startedAt: '2026-02-22T09:00:00.000Z' },
          ...{ endedAt: null, waitsFor: null, model: 'tft-fourth', from: body['from']! },
          ...{ stage: 'training', share: 0.1, etaSeconds: 900, step: 40, steps: 400, losses: [] },
          ...{ warnings: [], problem: null, peakMemoryMb: null, resumed: 0 },
        }
        return [200, training]
      }
      if (path.endsWith('/cancel') && training) {
        training = { ...training, state: 'cancelled', problem: 'cancelled by an operator' }
        return [200, training]
      }
      return undefined
    },
  }
}

/** A mock that answers what no hub would is worth nothing. */
function checked<Answer>(schema: { Check: (value: unknown) => boolean }, answer: Answer): Answer {
  if (!schema.Check(answer))
    throw new Error(`the mock answers out of shape: ${JSON.stringify(answer)}`)
  return answer
}
