import type { Clock } from '../clock.ts'

/** What a doctor waits for at most; a dead network or disk must not hold it up. */
export async function inTime<Value, Late>(
  work: Promise<Value>,
  { ms, late, clock }: { readonly ms: number; readonly late: Late; readonly clock: Clock },
): Promise<Value | Late> {
  let cancel = () => {}
  const timeUp = new Promise<Late>((resolve) => {
    cancel = clock.after(ms, () => resolve(late))
  })
  // What fails after its time is nobody's concern.
  work.catch(() => {})
  return Promise.race([work, timeUp]).finally(() => cancel())
}
