import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const css = readFileSync(new URL('theme.css', import.meta.url), 'utf8')
const colours = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
    ([, name, light, dark]) => [name!, { light: light!, dark: dark! }] as const,
  ),
)

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const part = Number.parseInt(hex.slice(i, i + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

const pairs = [
  ...[...colours.keys()]
    .filter((name) => colours.has(`${name}-ink`))
    .map((name) => [`${name}-ink`, name] as const),
  ...['page', 'surface', 'surface-raised'].flatMap((ground) =>
    ['ink', 'ink-soft', 'accent'].map((ink) => [ink, ground] as const),
  ),
  ...['history', 'forecast', 'warning', 'critical', 'now'].map(
    (line) => [`chart-${line}`, 'surface'] as const,
  ),
]

test.each(pairs)('%s on %s is readable in both themes', (ink, ground) => {
  for (const theme of ['light', 'dark'] as const)
    expect(contrast(colours.get(ink)![theme], colours.get(ground)![theme]), theme).toBeGreaterThan(
      4.5,
    )
})

const scale = ['healthy', 'watch', 'degrading', 'warning', 'danger', 'critical', 'imminent_failure']

test('severity grows by lightness alone, so that it survives colour blindness', () => {
  const of = (theme: 'light' | 'dark') => scale.map((name) => luminance(colours.get(name)![theme]))
  expect(of('light')).toEqual([...of('light')].sort((a, b) => b - a))
  expect(of('dark')).toEqual([...of('dark')].sort((a, b) => a - b))
})
