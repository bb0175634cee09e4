import { expect, test } from 'vitest'
import { openLog } from './log.ts'

test("writes pino's line format and leaves out what is less important than asked", () => {
  const lines: string[] = []
  const log = openLog({ level: 'warn', now: () => 42, write: (line) => lines.push(line) })
  log.info({ a: 1 }, 'not this')
  log.error({ hub: 'x' }, 'but this')
  expect(lines).toEqual(['{"level":50,"time":42,"hub":"x","msg":"but this"}\n'])
})
