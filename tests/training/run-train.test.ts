import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { metricNames } from '../../shared/src/metrics.ts'
import { simulatedFleet } from '../../model-training/src/simulator/fleet.ts'
import { runBacktest } from '../../model-training/src/backtest/run-backtest.ts'
import { startTraining } from '../../hub/src/training/start-training.ts'
import type { TrainJob, TrainingProgress } from '../../hub/src/training/training-messages.ts'

const folder = mkdtempSync(join(tmpdir(), 'run-train-'))
afterAll(() => rmSync(folder, { recursive: true }))

const startAt = Date.UTC(2025, 2, 3)
const minute = 60_000

function historyFile(name: string, hours: number): string {
  const fleet = simulatedFleet({ seed: 4, servers: 3, startAt })
  const lines = [['timestamp', 'server', 'profile', 'cores', ...metricNames].join(',')]
  for (let at = startAt; at < startAt + hours * 60 * minute; at += 5 * minute) {
    fleet.servers.forEach(({ name, profile, cores }, i) => {
      const readings = fleet.readingsAt(i, at)
      if (!readings) return
      const cells = metricNames.map((metric) => readings[metric] ?? '')
      lines.push([new Date(at).toISOString(), name, profile, cores, ...cells].join(','))
    })
  }
  const path = join(folder, name)
  writeFileSync(path, lines.join('\n'))
  return path
}

const file = historyFile('history.csv', 37)
const clock = () => performance.now()

const jobOf = (name: string, change: Partial<TrainJob> = {}): TrainJob => {
  const out = join(folder, 'models', name)
  return {
    ...{ task: 'train', id: name, out, checkpoints: `${out}.checkpoints`, seed: 1, threads: 2 },
    history: { kind: 'file', file },
    ...{ steps: 6, judgeEvery: 2, judgedWindows: 8 },
    ...change,
  }
}
const weights = (name: string) => readFileSync(join(folder, 'models', name, 'weights.bin'))

test(
  'killed with −9 at any step and begun again, a training comes to the same weights, byte by byte',
  async () => {
    const stages: TrainingProgress[] = []
    const whole = startTraining(jobOf('whole'), { onProgress: (made) => stages.push(made) })
    const { id, peakMemoryMb } = await whole.finished
    expect(id).toBe('whole')
    expect(new Set(stages.map(({ stage }) => stage))).toEqual(
      new Set(['reading', 'training', 'judging']),
    )
    // What the process really held; the bar is 2 GB.
    expect(peakMemoryMb).toBeGreaterThan(100)
    expect(peakMemoryMb).toBeLessThan(2048)

    const killAt = [2, 4][Math.floor(2 * Math.random())]!
    const killed = startTraining(jobOf('killed'), {
      onProgress(made) {
        if (made.stage === 'training' && made.step >= killAt) process.kill(killed.pid!, 'SIGKILL')
      },
    })
    await expect(killed.finished).rejects.toThrow('ended with SIGKILL')
    expect(existsSync(join(folder, 'models', 'killed'))).toBe(false)
    const steps: number[] = []
    await startTraining(jobOf('killed'), {
      onProgress: (made) => void (made.stage === 'training' && steps.push(made.step)),
    }).finished
    // It went on, and did not begin again.
    expect(Math.min(...steps)).toBeGreaterThan(killAt - 1)
    expect(weights('killed').equals(weights('whole'))).toBe(true)
    expect(readdirSync(join(folder, 'models')).sort()).toEqual(['killed', 'whole'])

    const report = await runBacktest({
      ...{ history: file, model: join(folder, 'models', 'whole'), every: 240, clock },
      from: startAt + 1440 * minute,
    })
    expect(report.model!.id).toBe('whole')

    const second = startTraining(
      jobOf('second', { steps: 1, base: join(folder, 'models', 'whole') }),
    )
    await second.finished
    const manifest = JSON.parse(
      readFileSync(join(folder, 'models', 'second', 'manifest.json'), 'utf8'),
    ) as { training: object }
    expect(manifest.training).toMatchObject({ seed: 1, parent: 'whole' })
  },
  20 * minute,
)

test(
  'a training that is cancelled says so, and a damaged checkpoint is named with what to do',
  async () => {
    const running = startTraining(jobOf('never', { steps: 500 }))
    running.stop()
    await expect(running.finished).rejects.toThrow('the training was cancelled')

    const { checkpoints } = jobOf('damaged')
    const first = startTraining(jobOf('damaged'), {
      onProgress(made) {
        if (made.stage === 'training') process.kill(first.pid!, 'SIGKILL')
      },
    })
    await expect(first.finished).rejects.toThrow('SIGKILL')
    const path = join(checkpoints, 'checkpoint.bin')
    const bytes = readFileSync(path)
    bytes[bytes.length - 3] = bytes[bytes.length - 3]! ^ 1
    writeFileSync(path, bytes)
    await expect(startTraining(jobOf('damaged')).finished).rejects.toThrow(
      /checkpoint\.bin is damaged.*Remove/s,
    )
    expect(existsSync(join(folder, 'models', 'damaged'))).toBe(false)
  },
  10 * minute,
)

test('a history that is too short says how much more is needed', async () => {
  const short = historyFile('short.csv', 18)
  const job = jobOf('short', { history: { kind: 'file', file: short } })
  await expect(startTraining(job).finished).rejects.toThrow(
    /17\.9 h of history, 36 h are needed.*: 18 h more/,
  )
}, 120_000)
