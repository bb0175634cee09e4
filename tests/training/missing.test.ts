import { afterAll, describe, expect, test } from 'vitest'
import { metricNames } from '../../shared/src/metrics.ts'
import { minuteMs } from '../../shared/src/window/series.ts'
import { windowBatch } from '../../shared/src/window/window-batch.ts'
import { judgeMissing } from '../../model-training/src/backtest/missing-metrics.ts'
import { ablateProfiles } from '../../model-training/src/backtest/profile-ablation.ts'
import { keepMetrics, tell } from '../../model-training/src/backtest/restrict.ts'
import { collect } from '../../model-training/src/backtest/collect.ts'
import { scoreOf } from '../../model-training/src/backtest/tally.ts'
import { wql } from '../../model-training/src/backtest/score.ts'
import type { FleetHistory } from '../../model-training/src/history/fleet-history.ts'
import { simulatedHistory } from '../../model-training/src/history/simulated-history.ts'
import { baseModelFolder } from '../../model-training/src/model/shipped.ts'
import { openInference } from '../../model-training/src/onnx/inference.ts'
import { cutWindow } from '../../model-training/src/windows/cut-window.ts'

/*
 * What the shipped model does where something is missing: metrics, the profile, or most of the history. On a simulated
 * fleet of servers that no training has seen.
 */

const startAt = Date.UTC(2025, 4, 5)
const dayMs = 1440 * minuteMs
const history: FleetHistory = simulatedHistory({ seed: 5150, servers: 28, startAt, days: 4 })
const from = startAt + 2 * dayMs
const clock = () => 0
const inference = await openInference(baseModelFolder, { threads: 1 })
afterAll(() => inference.close())
const model = { id: 'shipped', inference }

describe('with metrics missing', () => {
  test('the model is no worse than the best baseline, which lacks the same', async () => {
    const cells = await judgeMissing({ history, from, to: history.to, every: 660, model, clock })
    expect(cells.map(({ metrics, seed }) => [metrics, seed])).toEqual([
      [1, 1],
      [1, 2],
      [4, 1],
      [4, 2],
      [7, 1],
      [7, 2],
      [14, 1],
    ])
    for (const { metrics, ratio, ok } of cells) {
      expect(ratio, `${metrics} metrics`).toBeGreaterThan(0)
      expect(ok, `${metrics} metrics: ${ratio}`).toBe(true)
    }
  }, 120_000)

  test('a hidden metric is neither in the window nor scored', () => {
    const few = keepMetrics(history, 1, 3)
    const batch = windowBatch(1)
    for (const server of few.servers) {
      if (cutWindow(batch, 0, { server, now: from }) === undefined) continue
      const known = new Set<number>()
      batch.pastKnown.forEach((share, k) => share > 0 && known.add(k % 12))
      batch.seasonalKnown.forEach((share, k) => share > 0 && known.add(k % 12))
      expect(known.size).toBe(1)
    }
    expect(history.metrics).toEqual(metricNames)
  })
})

describe('profiles', () => {
  const profilesOf = (of: FleetHistory) => of.servers.map(({ profile }) => profile)

  test('are told as they are, exchanged, hidden, or wrong for a fifth of the servers', () => {
    const known = profilesOf(history)
    expect(profilesOf(tell(history, 'true', 1))).toEqual(known)
    expect(new Set(profilesOf(tell(history, 'unknown', 1)))).toEqual(new Set([undefined]))
    const shuffled = profilesOf(tell(history, 'shuffled', 1))
    expect(shuffled.toSorted()).toEqual(known.toSorted())
    expect(shuffled).not.toEqual(known)
    const wrong = profilesOf(tell(history, 'wrong20', 1)).filter((told, i) => told !== known[i])
    expect(wrong.length).toBe(Math.round(0.2 * known.length))
  })

  test('help a server that has been there for 15 minutes', async () => {
    const origins = [0, 1, 2, 3].map((i) => from + i * 7 * 60 * minuteMs)
    const short = async (of: FleetHistory) => {
      const { models } = await collect({
        ...{ history: of, models: [model], baselines: [], origins, clock },
        ...{ shortenEvery: 1, onlyShortened: true },
      })
      return models[0]!.contender.byHistory[0]!
    }
    const told = wql(scoreOf(await short(history)))
    const untold = wql(scoreOf(await short(tell(history, 'unknown', 1))))
    expect(told).toBeGreaterThan(0)
    expect(told / untold).toBeLessThan(0.97)
  }, 60_000)

  test('are taken away by the ablation, with a gate for each length of history', async () => {
    const report = await ablateProfiles({
      ...{ history, from, to: history.to, every: 1200, clock },
      ...{ withProfiles: [model], without: [model] },
    })
    expect(Object.keys(report.byHistory)).toEqual(['15min', '1h', '6h', '24h', '7d'])
    // The same model on both sides: not being told is what `none` is, to the digit.
    for (const { none, unknown } of Object.values(report.byHistory)) {
      expect(unknown.wql).toBe(none.wql)
      expect(unknown.againstNone!.figure).toBe(1)
    }
    expect(report.byHistory['15min']!.true.wql!).toBeLessThan(
      report.byHistory['15min']!.shuffled.wql!,
    )
    expect(report.ok).toBe(true)
  }, 60_000)

  test('cannot be taken away where there are none', async () => {
    await expect(
      ablateProfiles({
        ...{ history: tell(history, 'unknown', 1), from, to: history.to, every: 1200, clock },
        ...{ withProfiles: [model], without: [model] },
      }),
    ).rejects.toThrow('no server has a profile')
  })
})
