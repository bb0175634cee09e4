import { generate, type IPublishPacket } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { topic } from '@harbinger/shared/topics'
import { bytesPerDay, publishBytes, wireMeter } from './wire-meter.ts'

const minute = 60_000

test.each([
  ['samples', 1, 10],
  ['samples', 1, 240],
  ['samples', 1, 20_000],
  ['ack', 0, 12],
] as const)(
  'a packet on %s at QoS %i with %i bytes is as long as MQTT makes it',
  (kind, qos, n) => {
    const packet: IPublishPacket = {
      ...{ cmd: 'publish', topic: topic('ppdb001', kind), payload: Buffer.alloc(n) },
      ...{ qos, dup: false, retain: false, ...(qos > 0 && { messageId: 7 }) },
    }
    expect(publishBytes('ppdb001', kind, { payload: n, qos })).toBe(generate(packet).length)
  },
)

describe('what samples take on the wire', () => {
  const time = { now: 1_767_225_600_000 }
  const open = () => wireMeter(() => time.now)

  test('is not known of a server that sent none', () => {
    const meter = open()
    meter.acknowledgement('db1', 12)
    expect(meter.of('db1')).toBeUndefined()
  })

  test('is the sample, its PUBACK and the acknowledgement, and apart what the agent says of itself', () => {
    const meter = open()
    meter.sample('db1', 300, 80)
    meter.acknowledgement('DB1', 12)
    meter.sample('db1', 220, 0)
    const sample = publishBytes('db1', 'samples', { payload: 220, qos: 1 }) + 4
    const ack = publishBytes('db1', 'ack', { payload: 12, qos: 0 })
    expect(meter.of('db1')).toEqual({
      ...{ samples: 2, bytes: 2 * sample + ack, ownTimes: 1, ownBytes: 80 },
    })
  })

  test('is forgotten after an hour, and at once when the hub slept longer', () => {
    const meter = open()
    meter.sample('db1', 200, 0)
    time.now += 30 * minute
    meter.sample('db1', 200, 0)
    time.now += 31 * minute
    expect(meter.of('db1')?.samples).toBe(1)
    expect(meter.minutes()).toBe(60)
    time.now += 1000 * minute
    expect(meter.of('db1')).toBeUndefined()
  })

  test('is counted since the hub started', () => {
    const meter = open()
    time.now += 3 * minute
    expect(meter.minutes()).toBe(3)
  })
})

describe('bytes a day', () => {
  const measured = { samples: 100, bytes: 26_000, ownTimes: 10, ownBytes: 900 }

  test.each([
    // 8,640 samples of 260 bytes, and 1,440 times 90 bytes of the agent itself.
    [10, 8_640 * 260 + 1_440 * 90],
    [1, 86_400 * 260 + 1_440 * 90],
    // With every sample, since none is sooner than a minute after the one before.
    [60, 1_440 * 350],
    [300, 288 * 350],
    // Every 63 s, with the ninth sample.
    [7, (86_400 / 7) * 260 + (86_400 / 63) * 90],
  ])('at %i s', (seconds, bytes) => {
    expect(bytesPerDay(measured, seconds)).toBeCloseTo(bytes, 6)
  })

  test('of an agent that says nothing of itself is its samples alone', () => {
    expect(bytesPerDay({ ...measured, ownTimes: 0, ownBytes: 0 }, 10)).toBe(8_640 * 260)
  })
})
