import { metricNames, metricIndex } from '@harbinger/shared/metrics'
import { addValues, minuteMs } from '@harbinger/shared/window/series'
import { closeAllQuarters, type FleetHistory, spanSeries } from '../history/fleet-history.ts'
import { randomStream } from '../train/random.ts'

/** What disks do that the simulated fleet does not show, one habit per server in turn. */
const habits = [
  'quiet',
  'steady',
  'daily',
  'rotated',
  'cleaned-when-full',
  'files',
  'resized',
  'filling',
] as const

const stepMinutes = 5
const perDay = (24 * 60) / stepMinutes

/**
 * A history of disk use and uptime alone, written to hold each event in which a trend must start anew: clean-ups by the
 * clock and by need, large files, resizes, disks that begin to fill, restarts.
 */
export function writtenDisks({
  seed,
  servers,
  days,
  startAt = Date.UTC(2026, 0, 5),
}: {
  readonly seed: number
  readonly servers: number
  readonly days: number
  readonly startAt?: number
}): FleetHistory {
  const to = startAt + days * perDay * stepMinutes * minuteMs - 1
  return {
    ...{ name: `written-disks-${seed}`, simulated: true, from: startAt, to },
    ...{ intervalMinutes: stepMinutes, metrics: ['disk_usage_pct', 'uptime_days'] },
    servers: Array.from({ length: servers }, (_, index) => {
      const habit = habits[index % habits.length]!
      const series = spanSeries(startAt, to, stepMinutes)
      const next = disk(habit, randomStream(seed, index + 1))
      const random = randomStream(seed + 1, index + 1)
      const row = new Float64Array(metricNames.length).fill(NaN)
      let uptime = 60 * random()
      for (let step = 0; step < days * perDay; step++) {
        uptime = random() < 1 / (20 * perDay) ? 0 : uptime + 1 / perDay
        row[metricIndex.disk_usage_pct] = Math.round(next(step) * 100) / 100
        row[metricIndex.uptime_days] = Math.round(uptime * 1e4) / 1e4
        addValues(series, startAt + step * stepMinutes * minuteMs, row)
      }
      closeAllQuarters(series)
      return { name: `${habit}-${index}`, profile: undefined, cores: undefined, series }
    }),
  }
}

/** The disk of one habit, step by step: used of a size, so that a resize does to it what it does to disks. */
function disk(habit: (typeof habits)[number], random: () => number): (step: number) => number {
  const between = (low: number, high: number): number => low + (high - low) * random()
  const normal = (): number => random() + random() + random() + random() - 2
  let used = between(20, 65)
  let size = 100
  const growth = habit === 'quiet' ? between(0, 0.05) : between(0.1, 1)
  const cycleDays = [0.5, 1, 1, 7][Math.floor(4 * random())]!
  const climb = between(3, 18)
  const low = used
  const high = between(75, 92)
  let filling = 0
  let fillRate = 0
  const phase = Math.floor(between(0, perDay))
  return (step) => {
    const hour = ((step % perDay) / perDay) * 24
    const busy = habit === 'daily' ? Math.max(0, 2 * Math.sin((Math.PI * (hour - 8)) / 12)) : 1
    used += (growth / perDay) * busy * (1 + 0.5 * normal()) + (0.03 * normal()) / 4
    if (habit === 'rotated') {
      const cycle = Math.round(cycleDays * perDay)
      used += climb / cycle
      if ((step + phase) % cycle === 0) used -= climb * (1 + 0.08 * normal())
    }
    if (habit === 'cleaned-when-full') {
      used += (1 + 0.4 * normal()) * (climb / perDay)
      if (used > high && random() < 1 / 40) used = low + between(-4, 4)
    }
    if (habit === 'files' && random() < 1 / (3 * perDay)) used += between(-8, 8)
    if (habit === 'resized' && random() < 1 / (10 * perDay)) size *= used < 35 ? 0.75 : 2
    if (habit === 'filling') {
      if (filling === 0 && random() < 1 / (5 * perDay)) {
        filling = Math.round(between(0.25, 3) * perDay)
        fillRate = between(15, 45) / filling
      }
      if (filling > 0) {
        used += fillRate * (1 + 0.3 * normal())
        if (--filling === 0) used = low
      }
    }
    if (used > 0.97 * size) used = low
    used = Math.max(1, used)
    return Math.min(100, (100 * used) / size)
  }
}
