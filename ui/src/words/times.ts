/** Times in the viewer's zone, with the zone named: two people on one call may not share it. */

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
})
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
})

export const timeOfDay = (at: number): string => clockTime.format(at)
export const dateAndTime = (at: number): string => dayAndTime.format(at)

/** "Europe/Berlin (GMT+2)" */
export function zoneName(at: number): string {
  const { timeZone } = clockTime.resolvedOptions()
  const offset = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'shortOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')?.value
  return offset && offset !== timeZone ? `${timeZone} (${offset})` : timeZone
}
