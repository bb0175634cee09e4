import { expect, test } from 'vitest'
import { viewApp } from '../../hub/src/view/view-app.ts'
import { fakeLog, fakeSources, manyRows, now, rampForecast, serverRow } from './fake-sources.ts'

type Point = {
  readonly name: string
  readonly labels: Record<string, string>
  readonly value: number
}

/** Reads the text format strictly: families whole and described, names and labels well-formed. */
function parse(text: string): Point[] {
  expect(text.endsWith('\n')).toBe(true)
  const points: Point[] = []
  const families = new Set<string>()
  const series = new Set<string>()
  let family = ''
  let expectType = false
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) \S.*$/.exec(line)
    if (help) {
      family = help[1]!
      expect(families.has(family), `${family} twice`).toBe(false)
      families.add(family)
      expectType = true
      continue
    }
    if (expectType) {
      expect(line).toMatch(new RegExp(`^# TYPE ${family} (gauge|counter)$`))
      if (line.endsWith('counter')) expect(family).toMatch(/_total$/)
      expectType = false
      continue
    }
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line)
    expect(match, line).not.toBeNull()
    const [, name, inside = '', value] = match!
    expect(name).toBe(family)
    const labels: Record<string, string> = {}
    const rest = inside.replaceAll(
      /([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\n"])*)"(,|$)/g,
      (_, label, text) => {
        labels[label] = text.replaceAll(/\\(.)/g, (_: string, c: string) => (c === 'n' ? '\n' : c))
        return ''
      },
    )
    expect(rest, line).toBe('')
    expect(series.has(`${name}{${inside}`), `${line} twice`).toBe(false)
    series.add(`${name}{${inside}`)
    points.push({ name: name!, labels, value: Number(value) })
  }
  return points
}

async function read(rows: Parameters<typeof fakeSources>[0], overrides = {}) {
  const { sources } = fakeSources(rows, overrides)
  const { log } = fakeLog()
  const { app } = await viewApp({ sources, host: 'localhost', uiDirectory: '/nowhere', log })
  const answer = await app.inject({ url: '/metrics', headers: { host: 'localhost' } })
  await app.close()
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  return parse(answer.body)
}

test('says how the hub and every server are', async () => {
  const points = await read([serverRow('db01', { risk: 71.5 }), serverRow('db02', { risk: null })])
  const named = (name: string) => points.filter((point) => point.name === name)
  expect(named('harbinger_ok')).toMatchObject([{ value: 1 }])
  expect(named('harbinger_model_info')).toMatchObject([{ labels: { id: 'base-1', device: 'cpu' } }])
  expect(named('harbinger_events_total')).toMatchObject([
    { labels: { event: 'samples stored' }, value: 7 },
  ])
  // The risk of db02 is unknown: absent, neither 0 nor NaN.
  expect(named('harbinger_server_risk')).toEqual([
    { name: 'harbinger_server_risk', labels: { server: 'db01', profile: 'generic' }, value: 71.5 },
  ])
})

test('a forecast is labelled with the time it is for, also when it is some minutes old', async () => {
  const at30 = async (age: number) => {
    const later = { now: () => now + age * 60_000 }
    const points = await read([serverRow('db01')], later)
    return points.find(
      ({ name, labels }) =>
        name === 'harbinger_forecast' &&
        labels['horizon'] === '30m' &&
        labels['quantile'] === '0.5',
    )!
  }
  expect(await at30(0)).toMatchObject({
    labels: { server: 'db01', metric: 'mem_used_pct' },
    value: 52,
  })
  expect((await at30(14)).value).toBe(52)
  expect((await at30(15)).value).toBe(53)
})

test('what is in a name cannot break the format', async () => {
  const name = 'a"b\\c\nd} 1'
  const points = await read([serverRow(name)], { forecast: () => rampForecast(name) })
  expect(points.filter(({ labels }) => labels['server'] === name).length).toBeGreaterThan(5)
})

test('a thousand servers are well-formed too', async () => {
  const points = await read(manyRows(1000))
  expect(points.filter(({ name }) => name === 'harbinger_forecast')).toHaveLength(1000 * 5 * 3)
})
