import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { readAgentConfig } from './interval.ts'
import { AgentConfigSchema } from './sample.ts'

const Schema = Compile(AgentConfigSchema)

describe('a message on the config topic', () => {
  test.each([1, 10, 300])('asks for %i s', (intervalSeconds) => {
    expect(readAgentConfig(JSON.stringify({ intervalSeconds }))).toEqual({
      seconds: intervalSeconds,
    })
  })

  test('that is empty takes back what was asked', () => {
    expect(readAgentConfig('')).toEqual({ seconds: null })
  })

  test('may say more, to agents of a later version', () => {
    expect(readAgentConfig('{"intervalSeconds":5,"colour":"red"}')).toEqual({ seconds: 5 })
  })

  test.each([
    ['{"intervalSeconds":0}', 'intervalSeconds: expected a whole number from 1 to 300, got 0'],
    ['{"intervalSeconds":301}', 'got 301'],
    ['{"intervalSeconds":1.5}', 'got 1.5'],
    ['{"intervalSeconds":"10"}', 'got "10"'],
    ['{"intervalSeconds":null}', 'got null'],
    ['{}', 'got nothing'],
    ['[10]', 'expected {"intervalSeconds": …}, got [10]'],
    ['10', 'got 10'],
    ['null', 'got null'],
    ['soon', 'expected JSON, got soon'],
    [' ', 'expected JSON'],
  ])('%s is refused with the reason', (payload, reason) => {
    expect(readAgentConfig(payload)).toEqual({ rejected: expect.stringContaining(reason) })
  })

  test.each([
    ...['{"intervalSeconds":1}', '{"intervalSeconds":300}', '{"intervalSeconds":299,"more":1}'],
    ...['{"intervalSeconds":0}', '{"intervalSeconds":301}', '{"intervalSeconds":1.5}', '{}'],
    ...['{"intervalSeconds":"10"}', '[10]', '10', 'null', '{"intervalSeconds":-1}'],
  ])('%s is read as the schema of the contract does', (payload) => {
    expect('seconds' in readAgentConfig(payload)).toBe(Schema.Check(JSON.parse(payload)))
  })
})
