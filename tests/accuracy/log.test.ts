import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CalibratorState } from '@harbinger/shared/forecast/calibrator'
import { curveIn } from '@harbinger/shared/forecast/chance-curves'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames, type MetricName } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { recompute } from '../../hub/src/accuracy/accuracy.ts'
import { runCommand } from '../../hub/src/commands/program.ts'
import { loggedLeads } from '../../hub/src/storage/forecast-log-body.ts'
import type { LogRow } from '../../hub/src/storage/forecast-log-store.ts'
import { changed } from './changed.ts'
import { rehearsal, type Sent } from './rehearsal.ts'

const hour = 60 * minuteMs
const day = 24 * hour

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harbinger-accuracy-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const rowsOf = ({ stores, servers }: ReturnType<typeof rehearsal>): LogRow[] =>
  servers.flatMap(({ id }) => [...stores.forecastLog.ofServer(id, 0)].map((entry) => entry.read()))

async function command(...args: string[]): Promise<string> {
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  expect(await runCommand(args, { now: () => 0, every: () => () => {} })).toBe(0)
  return out
}

/** The mean of the minutes from `from` on that were measured, from raw samples alone. */
function measured(sent: readonly Sent[], metric: MetricName, from: number): number | undefined {
  const minutes = new Map<number, number[]>()
  for (const { at, readings } of sent) {
    const value = readings[metric]
    if (at < from || at >= from + 15 * minuteMs || value === undefined) continue
    const minute = Math.floor(at / minuteMs)
    minutes.set(minute, [...(minutes.get(minute) ?? []), value])
  }
  const means = [...minutes.values()].map((all) => all.reduce((a, b) => a + b) / all.length)
  return means.length === 0 ? undefined : means.reduce((a, b) => a + b) / means.length
}

/** Weighted quantile loss by its definition, from the log's forecasts and raw samples. */
function lossOf(hub: ReturnType<typeof rehearsal>, metric: MetricName) {
  const v = networkMetricNames.indexOf(metric as 'load_average')
  let pinball = 0
  let truth = 0
  let covered = 0
  let n = 0
  for (const row of rowsOf(hub)) {
    for (const [i, lead] of loggedLeads.entries()) {
      const y = measured(hub.sent.get(row.serverId)!, metric, row.windowEnd + lead * minuteMs)
      const forecast = row.metrics[v]?.steps.slice(3 * i, 3 * i + 3)
      if (y === undefined || !forecast) continue
      for (const [q, level] of [0.1, 0.5, 0.9].entries()) {
        const miss = y - forecast[q]!
        pinball += miss > 0 ? level * miss : (level - 1) * miss
      }
      if (y >= forecast[0]! && y <= forecast[2]!) covered++
      truth += Math.abs(y)
      n++
    }
  }
  return { n, wql: (2 * pinball) / (3 * truth), coverage80: covered / n }
}

test('the scorecard says what raw samples say, the command says the same bytes, a restart changes nothing', async () => {
  const hub = rehearsal({ folder })
  await hub.pass(day, { scoring: false })
  await hub.pass(16 * hour, { forecasts: true })
  await hub.restart()
  await hub.pass(9 * hour, { forecasts: false })

  const { drift, ...answer } = hub.room().answer()
  expect(drift).not.toBeNull()
  const rows = rowsOf(hub)
  // Once an hour for each of five servers; the first hour waits for its turn.
  expect(rows.length).toBeGreaterThanOrEqual(5 * 14)
  expect(rows.length).toBeLessThanOrEqual(5 * 16)
  const week = answer.windows.find(({ days }) => days === 7)!
  expect(week.all.n).toBeGreaterThan(rows.length * 5 * 9)
  for (const metric of ['cpu_user_pct', 'mem_used_pct', 'net_in_mb_s'] as const) {
    const expected = lossOf(hub, metric)
    const found = week.byMetric[metric]!
    expect(found.n).toBe(expected.n)
    expect(found.wql).toBeCloseTo(expected.wql, 6)
    expect(found.coverage80).toBeCloseTo(expected.coverage80, 9)
  }
  // The rehearsed model is "theta-like", one of the logged baselines: the best is at least as good.
  expect(week.bySource['model:rehearsed']!.skill).toBeLessThanOrEqual(1e-9)
  expect(week.byLead['30']!.wql).toBeLessThan(week.byLead['465']!.wql!)

  const bytes = JSON.stringify(answer)
  expect((await command('accuracy', '--json', '--data', folder)).trim()).toBe(bytes)
  await hub.restart()
  const { drift: _, ...after } = hub.room().answer()
  expect(JSON.stringify(after)).toBe(bytes)
  await hub.pass(30 * minuteMs)
  expect(JSON.stringify(recompute(hub.stores.forecastLog, Date.parse(answer.at!)))).toBe(bytes)
  expect(await command('accuracy', '--data', folder)).toContain('mem_used_pct')
}, 120_000)

test('a target waits for late data, and what never comes is counted as unknown and never as 0', async () => {
  const hub = rehearsal({ size: 5 })
  await hub.pass(day, { scoring: false })
  await hub.pass(3 * hour, { forecasts: true })
  // The first server falls silent, and the second one measures no memory any more.
  const late: { at: number; readings: NonNullable<ReturnType<typeof hub.readingsAt>> }[] = []
  await hub.pass(9 * hour, {
    change(readings, i, at) {
      if (i === 1) return changed(readings, ['mem_used_pct'], () => undefined)
      if (i !== 0) return readings
      late.push({ at, readings })
      return undefined
    },
  })
  const memory = () => hub.room().answer().windows[1]!.byMetric['mem_used_pct']!
  const before = memory()
  const expected = lossOf(hub, 'mem_used_pct')
  expect(before.unknown).toBe(0)
  expect(before.n).toBe(expected.n)
  // The silent server comes back and sends what it kept; the other one's memory never comes.
  for (const { at, readings } of late) hub.send(0, at, readings)
  await hub.pass(30 * minuteMs)
  const caughtUp = memory()
  expect(caughtUp.n).toBeGreaterThan(before.n)
  expect(caughtUp.unknown).toBe(0)
  expect(caughtUp.wql).toBeCloseTo(lossOf(hub, 'mem_used_pct').wql, 6)
  await hub.pass(27 * hour)
  const last = memory()
  expect(last.n).toBe(lossOf(hub, 'mem_used_pct').n)
  const points = rowsOf(hub).filter(({ metrics }) => metrics[5]).length * loggedLeads.length
  expect(last.unknown).toBe(points - last.n)
  expect(last.unknown).toBeGreaterThan(0)
  const { drift: _, ...answer } = hub.room().answer()
  expect(JSON.stringify(recompute(hub.stores.forecastLog))).toBe(JSON.stringify(answer))
}, 120_000)

/** How often chances came true, from the log's forecasts and raw samples; cases fade by half in 24 hours. */
function chancesOf(hub: ReturnType<typeof rehearsal>, metric: MetricName, hourNow: number) {
  const v = networkMetricNames.indexOf(metric as 'load_average')
  const sum = { cases: 0, came: 0 }
  for (const row of rowsOf(hub)) {
    const logged = row.metrics[v]!
    for (const [p, minutes] of peakMinutes.entries()) {
      const end = row.windowEnd + minutes * minuteMs
      const within = hub.sent
        .get(row.serverId)!
        .flatMap(({ at, readings }) => (at >= row.windowEnd && at < end ? [readings[metric]!] : []))
      for (const [level, threshold] of logged.ownThresholds.entries()) {
        if (!(logged.ownChances[3 * p + level]! > 0)) continue
        const worth = 0.5 ** ((hourNow - Math.floor(end / hour)) / 24)
        sum.cases += worth
        if (Math.max(...within) >= threshold) sum.came += worth
      }
    }
  }
  return sum
}

test('how often chances come true is learnt of each server’s own thresholds, as raw samples say it', async () => {
  const hub = rehearsal()
  await hub.pass(day, { scoring: false })
  await hub.pass(12 * hour, { forecasts: true })
  await hub.restart()
  await hub.pass(9 * hour)
  const { hour: hourNow, cells } = (
    JSON.parse(hub.stores.forecastLog.calibrator('rehearsed')!) as CalibratorState
  ).chances!
  for (const metric of ['mem_used_pct', 'net_in_mb_s'] as const) {
    const { cases, came } = cells[`model ${metric}`]!
    const sum = (of: readonly number[]) => of.reduce((total, n) => total + n, 0)
    const expected = chancesOf(hub, metric, hourNow)
    expect(expected.came).toBeGreaterThan(1)
    expect(sum(cases)).toBeCloseTo(expected.cases, 5)
    expect(sum(came)).toBeCloseTo(expected.came, 5)
  }
  const v = networkMetricNames.indexOf('mem_used_pct')
  expect(curveIn(hub.room().adapted().curves, { contender: 'model', v })).toBeDefined()
}, 120_000)

test('the log refuses to be changed, and lets go of what is older than it keeps and of nothing else', async () => {
  const hub = rehearsal()
  const { db, forecastLog } = hub.stores
  const add = (windowEnd: number): void =>
    forecastLog.add({
      ...{ serverId: 1, windowEnd, issuedAt: windowEnd, served: true, model: 'm' },
      ...{ profile: 'generic', metrics: networkMetricNames.map(() => undefined) },
    })
  for (let d = 0; d < 30; d++) add(d * day)
  const truth = new Float32Array(networkMetricNames.length).fill(7)
  forecastLog.addScore({ logId: 1, part: 0, final: 1, scoredAt: day, truth })
  forecastLog.addScore({ logId: 30, part: 0, final: 1, scoredAt: 31 * day, truth })
  const count = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()

  add(3 * day)
  truth.fill(8)
  forecastLog.addScore({ logId: 30, part: 0, final: 1, scoredAt: 31 * day, truth })
  expect(forecastLog.scoresOf(30)[0]!.truth[0]).toBe(7)
  expect(count('forecast_log')).toBe(30)
  for (const sql of [
    'UPDATE forecast_log SET served = 0',
    'DELETE FROM forecast_log WHERE id = 30',
    'UPDATE forecast_scores SET scored_at = 0',
    'DELETE FROM forecast_scores WHERE log_id = 30',
    'UPDATE forecast_log_bounds SET keep_from = 2505600000 - 1',
  ]) {
    expect(() => db.exec(sql), sql).toThrow(/append-only|are kept/)
  }
  db.exec(
    `INSERT OR REPLACE INTO forecast_log SELECT id, server_id, window_end, issued_at, 0, model, profile, body FROM forecast_log WHERE id = 30`,
  )
  expect(db.prepare('SELECT served FROM forecast_log WHERE id = 30').pluck().get()).toBe(1)

  expect(forecastLog.forgetBefore(16 * day, 10)).toBe(10)
  expect(forecastLog.forgetBefore(16 * day, 10)).toBe(6)
  expect(forecastLog.forgetBefore(99 * day, 99)).toBe(6)
  expect(forecastLog.first()).toBe(22 * day)
  expect(count('forecast_scores')).toBe(1)
})
