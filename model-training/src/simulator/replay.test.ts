import { expect, test } from 'vitest'
import { openReplay, replayPhases, replaySeconds } from './replay.ts'

const usedIn = (replay: ReturnType<typeof openReplay>, second: number): number => {
  const at = replay.startAt + second * 1000
  const used = replay.fleet.servers.map((_, i) => 100 - replay.readingsAt(i, at)!.cpu_idle_pct!)
  return used.filter((x) => x > 95).length
}

test('goes through its four phases without a gap in five minutes', () => {
  const replay = openReplay()
  const seen = Array.from({ length: replaySeconds }, (_, s) =>
    replay.phaseAt(replay.startAt + s * 1000),
  )
  expect([...new Set(seen)]).toEqual(['stable', 'escalation', 'peak', 'recovery'])
  expect(replayPhases.at(-1)!.to).toBe(replaySeconds)
})

test('is at its worst at the peak and well again at the end', () => {
  const replay = openReplay()
  expect(usedIn(replay, 30)).toBe(0)
  expect(usedIn(replay, 224)).toBeGreaterThan(20)
  expect(usedIn(replay, 299)).toBe(0)
})

test('is the same every time', () => {
  const bytes = () => {
    const replay = openReplay()
    return JSON.stringify(
      Array.from({ length: 30 }, (_, k) =>
        replay.fleet.servers.map((_, i) => replay.readingsAt(i, replay.startAt + k * 10_000)),
      ),
    )
  }
  expect(bytes()).toBe(bytes())
})
