import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

type Summary = {
  totalCruised: number
  violations: { rule: { name: string }; from: string; to: string }[]
}

const cruise = (...folders: string[]): Summary =>
  (
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
          '--config',
          '.config/dependency-cruiser.cjs',
          '-T',
          'json',
          ...folders,
        ],
        { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] },
      ),
    ) as { summary: Summary }
  ).summary

const { totalCruised, violations } = cruise(
  'agent/src',
  'hub/src',
  'shared/src',
  'ui/src',
  'model-training/src',
)

test('the drawn arrows are the only arrows', () => {
  expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([])
})

test('the checker read our code: with a compiler it cannot use it passes on nothing', () => {
  expect(totalCruised).toBeGreaterThan(30)
})
