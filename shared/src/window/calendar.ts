const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** 1970-01-01 was a Thursday; this instant is a Monday, so that a week begins where people say it does. */
const aMonday = 4 * dayMs

export const calendarWidth = 5

/** Writes sine and cosine of the hour and of the place in the week (UTC), and 1 when a known event covers `at`. */
export function fillCalendar(
  out: Float32Array,
  offset: number,
  { at, event }: { readonly at: number; readonly event: boolean },
): void {
  const day = (2 * Math.PI * (at % dayMs)) / dayMs
  const week = (2 * Math.PI * ((at - aMonday) % (7 * dayMs))) / (7 * dayMs)
  out[offset] = Math.sin(day)
  out[offset + 1] = Math.cos(day)
  out[offset + 2] = Math.sin(week)
  out[offset + 3] = Math.cos(week)
  out[offset + 4] = event ? 1 : 0
}
