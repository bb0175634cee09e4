import { Busy } from '../people/one-at-a-time.ts'
import { RequestProblem } from './problems.ts'

type Refusal = {
  readonly refused: string
  readonly kind: string
  readonly waitSeconds?: number
}

const answers: { readonly [kind: string]: readonly [number, string] } = {
  invalid: [400, 'invalid_request'],
  wrong: [401, 'wrong_password'],
  absent: [404, 'not_found'],
  conflict: [409, 'refused'],
  wait: [429, 'too_many_tries'],
  busy: [503, 'busy'],
}

/** What was asked for; a refusal becomes an answer with its words. */
export async function granted<Answer>(
  work: Answer | Promise<Answer>,
): Promise<Exclude<Answer, Pick<Refusal, 'refused'>>> {
  let found: Answer | Refusal
  try {
    found = await work
  } catch (error) {
    if (!(error instanceof Busy)) throw error
    found = {
      kind: 'busy',
      refused: 'too many passwords are being checked; try again in some seconds',
    }
  }
  if (isRefusal(found)) {
    const [status, code] = answers[found.kind]!
    throw new RequestProblem(status, code, found.refused, found.waitSeconds)
  }
  return found as Exclude<Answer, Pick<Refusal, 'refused'>>
}

const isRefusal = (found: unknown): found is Refusal =>
  typeof found === 'object' && found !== null && 'refused' in found
