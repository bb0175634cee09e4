/** A line of progress with the time that is left, for what takes longer than two seconds. */
export function progress(what: string, now: () => number) {
  const began = now()
  let told = began
  let shown = false
  const { stderr } = process
  const say = (text: string): void => {
    stderr.write(stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
    shown = true
  }

  return {
    /** `share` of the work is done, 0 … 1. */
    at(share: number, detail = ''): void {
      const at = now()
      if (at - began < 2000 || at - told < (stderr.isTTY ? 500 : 5000)) return
      told = at
      const left = share > 0 ? ((at - began) * (1 - share)) / share / 1000 : NaN
      const eta = Number.isNaN(left)
        ? ''
        : `, ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`
      say(`${what}: ${Math.floor(100 * share)} %${eta}${detail && ` (${detail})`}`)
    },
    end(): void {
      if (shown && stderr.isTTY) stderr.write('\r\x1b[K')
    },
  }
}
