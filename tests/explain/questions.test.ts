import { type cpuParts } from '@harbinger/shared/metrics'
import {
  ExplanationSchema,
  type WhatIf,
  WhatIfSchema,
  type Explanation,
} from '@harbinger/shared/explanation'
import { Check } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { benchQuestions } from '../../hub/src/bench/questions-bench.ts'
import { openBenchHub } from '../../hub/src/bench/open-bench-hub.ts'

/** A whole hub with a simulated fleet's history and the model that ships. */
describe('a hub that is asked why and what if', () => {
  let bench: Awaited<ReturnType<typeof openBenchHub>>
  let name = ''
  const url = (question: string) => `${bench.hub.address}/api/v1/servers/${name}/${question}`
  const why = async (query = ''): Promise<Explanation> =>
    (await fetch(url('explanation') + query)).json() as Promise<Explanation>
  const post = (body: object) =>
    fetch(url('what-if'), {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(body),
    })

  const ask = async (body: object) => (await (await post(body)).json()) as WhatIf

  beforeAll(async () => {
    bench = await openBenchHub({ fleet: { servers: 8, seed: 7 }, now: Date.now })
    await bench.hub.untilForecast()
    name = bench.hub.sources.servers().find(({ profile }) => profile === 'database')!.name
  }, 120_000)
  afterAll(() => bench?.close())

  test('says what a forecast rests on, with every effect above what its check needs', async () => {
    const answer = await why()
    expect(Check(ExplanationSchema, answer)).toBe(true)
    expect(answer.abstained).toBeNull()
    expect(answer.target!.source).toMatch(/^(model|baseline):/)
    const { withheld, items, check } = answer.drivers
    expect(items.length > 0).toBe(withheld === null)
    // The check shown is that of the first.
    if (items[0]) expect(items[0].effect).toBe(check!.effect)
    if (items[0]) expect(items[0].effect).toBeGreaterThan(check!.needed)
    expect(items.map(({ effect }) => effect)).toEqual(
      items.map(({ effect }) => effect).sort((a, b) => b - a),
    )
    if (check) expect(check.passed).toBe(withheld === null)
    expect(answer.selection.weights.length > 0).toBe(answer.selection.withheld === null)
    expect(answer.attention.spans.length > 0).toBe(answer.attention.withheld === null)
  })

  test('draws the same for the same question in the same minute', async () => {
    const [a, b] = [await why(), await why()]
    // The minute may end between the two.
    if (a.windowEnd === b.windowEnd) expect(b.drivers).toEqual(a.drivers)
    else expect(b.drivers.check?.seed).not.toBe(a.drivers.check?.seed)
  })

  test('says of disk that nothing but its own past goes in', async () => {
    const { drivers, target } = await why('?metric=disk_usage_pct')
    expect(target!.source).toMatch(/^baseline:/)
    expect(drivers.withheld).toContain('Disk is forecast from its own past alone')
  })

  test('runs the forecasters on changed readings, and the difference is that of the two', async () => {
    const answer = await ask({ changes: [{ metric: 'cpu_user_pct', multiply: 3 }], minutes: 240 })
    expect(Check(WhatIfSchema, answer)).toBe(true)
    const { before, after, difference, risk } = answer
    let moved = 0
    for (const [metric, levels] of Object.entries(difference.quantiles)) {
      for (const [level, steps] of Object.entries(levels!)) {
        const [a, b] = [before, after].map(
          (of) => of.metrics[metric as 'mem_used_pct']!.quantiles[level]!,
        )
        steps.forEach((step, i) => {
          expect(step).toBeCloseTo(b![i]! - a![i]!, 3)
          if (Math.abs(step) > 0.01) moved++
        })
      }
    }
    expect(moved).toBeGreaterThan(0)
    const at = (of: typeof before, part: (typeof cpuParts)[number]) =>
      of.metrics[part]!.quantiles['0.5']![0]!
    expect(at(after, 'cpu_user_pct')).toBeGreaterThan(at(before, 'cpu_user_pct'))
    expect(at(after, 'cpu_idle_pct')).toBeLessThan(at(before, 'cpu_idle_pct'))
    expect(risk.difference).toBeCloseTo(risk.after.risk! - risk.before.risk!, 6)
    expect(answer.consequences.join()).toContain('100 % together')
  })

  test('a question that changes nothing differs in nothing', async () => {
    const answer = await ask({ changes: [{ metric: 'mem_used_pct', multiply: 1 }] })
    const all = Object.values(answer.difference.quantiles).flatMap((levels) =>
      Object.values(levels!).flat(),
    )
    expect(all.length).toBeGreaterThan(1000)
    expect(all.every((step) => step === 0)).toBe(true)
    expect(answer.risk.difference).toBe(0)
    expect(answer.text).toContain('no expected peak of the next 8 h would differ')
  })

  test('limits move with the profile, and the model is told', async () => {
    const answer = await ask({ profile: 'web_api' })
    const limit = (of: WhatIf['before']) => of.timeToThreshold.mem_used_pct?.threshold
    expect([limit(answer.before), limit(answer.after)]).toEqual([99, 85])
  })

  test('a server that abstains is refused with the reason, and its explanation says it too', async () => {
    const { hub, close } = await openBenchHub({
      fleet: { servers: 2, seed: 7 },
      // An hour after the history ended: everybody has been silent.
      now: () => later,
    })
    try {
      later += 3_600_000
      const [first] = hub.sources.servers()
      const refused = await hub.sources.whatIf(first!.name, {
        changes: [{ metric: 'mem_used_pct', add: 1 }],
      })
      expect(refused).toMatchObject({ kind: 'conflict' })
      expect((refused as { refused: string }).refused).toContain(
        'offline: nothing is forecast until it is heard again',
      )
      const told = await hub.sources.explanation(first!.name)
      expect(told!.abstained).toContain('offline: nothing is forecast until it is heard again')
      expect(told!.target).toBeNull()
      expect(told!.drivers.withheld).toContain('there is no forecast')
    } finally {
      await close()
    }
  }, 60_000)
  let later = Date.now()

  test('so it is while a hub that was away for an hour waits for its servers, with what it lacks', async () => {
    const begin = Date.now()
    let asked = 0
    // The history ends when it is first asked; the hub opens an hour later.
    const now = () => begin + (asked++ === 0 ? 0 : 3_600_000)
    const { hub, close } = await openBenchHub({ fleet: { servers: 2, seed: 7 }, now })
    try {
      const [first] = hub.sources.servers()
      const refused = await hub.sources.whatIf(first!.name, {
        changes: [{ metric: 'mem_used_pct', add: 1 }],
      })
      expect(refused).toMatchObject({ kind: 'conflict' })
      expect((refused as { refused: string }).refused).toMatch(/no sample for \d+ minutes/)
      const told = await hub.sources.explanation(first!.name)
      expect(told!.abstained).toMatch(/no sample for \d+ minutes/)
      expect(told!.target).toBeNull()
    } finally {
      await close()
    }
  }, 60_000)
})

test('the bench asks, and prints a figure for each kind of question', async () => {
  const figures = await benchQuestions({ small: true })
  expect(figures.map(({ name }) => name)).toEqual(['explanation-90', 'what-if-90'])
  for (const { figure, beside } of figures) {
    expect(figure).toBeGreaterThan(0)
    expect(beside).toMatchObject({ questions: 3, comparedEpisodes: expect.any(Number) })
    expect(beside!['comparedEpisodes']).toBeGreaterThan(0)
  }
}, 120_000)
