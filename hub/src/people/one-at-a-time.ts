/** Too many wait already. */
export class Busy extends Error {}

/** Runs jobs one after the other and lets no more than `waiting` wait: each hash takes 64 MiB while it is made. */
export function oneAtATime(waiting: number) {
  let last: Promise<unknown> = Promise.resolve()
  let queued = 0
  return async <Answer>(job: () => Promise<Answer>): Promise<Answer> => {
    if (queued > waiting) throw new Busy('too many passwords are being checked')
    queued++
    const turn = last.then(job, job)
    last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      queued--
    }
  }
}
