import { expect, test } from 'vitest'
import {
  agentTopicKinds,
  hubTopicKinds,
  readTopic,
  topic,
  topicFilter,
  topicKinds,
} from './topics.ts'

test.each(topicKinds)('the %s topic of a server is read as it was written', (kind) => {
  expect(readTopic(topic('ppdb001', kind))).toEqual({ server: 'ppdb001', kind })
})

test('every kind is written by one side', () => {
  expect([...agentTopicKinds, ...hubTopicKinds].sort()).toEqual([...topicKinds].sort())
  expect(topicFilter('samples')).toBe('harbinger/v1/+/samples')
})

test.each([
  'harbinger/v2/a/samples',
  'harbinger/v1/a',
  'harbinger/v1/a/samples/more',
  'harbinger/v1//samples',
  'harbinger/v1/a b/samples',
  'harbinger/v1/+/samples',
  'harbinger/v1/a/toString',
  'samples',
  '',
])('%j is not ours', (text) => {
  expect(readTopic(text)).toBeUndefined()
})
