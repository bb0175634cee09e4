import { expect, test } from 'vitest'
import { type Figure, toPage } from './figures.ts'

const figure: Figure = {
  name: 'cycle of 90 servers, p95',
  figure: 0.61,
  unit: 's',
  bar: '≤ 0.5',
  ok: false,
  peer: { name: 'last week', figure: 0.5, ratio: 1.22 },
  conditions: { cores: 2, at: '2026-01-02T03:04:05.000Z' },
}

test('a bar that is missed is shown as missed, with its peer and its conditions', () => {
  const page = toPage({ cycle: [figure] })
  expect(page).toContain(
    '| cycle of 90 servers, p95 | 0.610 s | ≤ 0.5 | ✗ | last week: 0.500 s (ratio 1.22) |',
  )
  expect(page).toContain('measured 2026-01-02')
  expect(page).toContain('Conditions: cores 2.')
})
