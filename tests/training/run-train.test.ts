import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { metricNames } from '../../shared/src/metrics.ts'
import { simulatedFleet } from '../../model-training/src/simulator/fleet.ts'
import { runBacktest } from '../../model-training/src/backtest/run-backtest.ts'
import { startTraining } from '../../model-training/src/train/start-training.ts'
import { runTrain, type RunTrainProgress } from '../../model-training/src/train/run-train.ts'

const folder = mkdtempSync(join(tmpdir(), 'run-train-'))
afterAll(() => rmSync(folder, { recursive: true }))

const startAt = Date.UTC(2025, 2, 3)
const minute = 60_000

function historyFile(): string {
  const fleet = simulatedFleet({ seed: 4, servers: 7, startAt })
  const lines = [['timestamp', 'server', 'profile', 'cores', ...metricNames].join(',')]
  for (let at = startAt; at < startAt + 2 * 1440 * minute; at += 5 * minute) {
    fleet.servers.forEach(({ name, profile, cores }, i) => {
      const readings = fleet.readingsAt(i, at)
      if (!readings) return
      const cells = metricNames.map((metric) => readings[metric] ?? '')
      lines.push([new Date(at).toISOString(), name, profile, cores, ...cells].join(','))
    })
  }
  const path = join(folder, 'history.csv')
  writeFileSync(path, lines.join('\n'))
  return path
}

const history = historyFile()
const clock = () => performance.now()

test(
  'a history file becomes a model with its report, and the model can be judged and trained on',
  async () => {
    const stages: RunTrainProgress[] = []
    const out = join(folder, 'models', 'first')
    const job = { history, seed: 1, steps: 3, judgedWindows: 32 }
    const { finished } = startTraining({ ...job, out }, { onProgress: (p) => stages.push(p) })
    const { id } = await finished
    expect(new Set(stages.map(({ stage }) => stage))).toEqual(
      new Set(['reading', 'training', 'judging']),
    )
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))
    expect(manifest).toMatchObject({ id, kind: 'tft', training: { seed: 1, parent: null } })
    expect(Object.keys(manifest.serves).length).toBe(12)

    const report = await runBacktest({
      history,
      model: out,
      every: 240,
      clock,
      from: startAt + 1440 * minute,
    })
    expect(report.model!.id).toBe(id)
    expect(report.wqlRatio!).toBeCloseTo(
      report.model!.wql! / report.baselines[report.bestBaseline]!.wql!,
      4,
    )
    expect(report.origins).toBe(5)

    const second = await runTrain({
      ...job,
      out: join(folder, 'models', 'second'),
      base: out,
      clock,
    })
    expect(second.manifest.training.parent).toBe(id)
  },
  4 * minute,
)

test(
  'a training that is cancelled says so',
  async () => {
    const job = { history, seed: 1, steps: 500, out: join(folder, 'models', 'never') }
    const { finished, cancel } = startTraining(job)
    const outcome = expect(finished).rejects.toThrow('the training was cancelled')
    cancel()
    await outcome
  },
  minute,
)
