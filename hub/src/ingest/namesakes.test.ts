import { beforeEach, describe, expect, test } from 'vitest'
import { type NameConflict, namesakes } from './namesakes.ts'

const a = { id: 'a', address: '10.0.0.1' }
const b = { id: 'b', address: '10.0.0.2' }
let time: number
let told: Map<string, NameConflict | undefined>
let names: ReturnType<typeof namesakes>
const later = (seconds: number) => (time += seconds * 1000)
const open = (conflicts?: ReadonlyMap<string, NameConflict>) =>
  namesakes({
    now: () => time,
    ...(conflicts && { open: conflicts }),
    onConflict: (key, conflict) => told.set(key, conflict),
  })

beforeEach(() => {
  time = 1_000_000
  told = new Map()
  names = open()
})

const bothLive = () => {
  names.mayConnect('web01', a, false)
  later(60)
  names.mayConnect('Web01', b, true)
  later(10)
  names.heard('web01')
}

describe('agents that connect here', () => {
  test('one after the other are one server that was restarted', () => {
    expect(names.mayConnect('web01', a, false)).toBe(true)
    expect(names.mayConnect('web01', b, false)).toBe(true)
    expect(names.conflict('web01')).toBeUndefined()
  })

  test('of two that live the first is kept, and both are told with their addresses', () => {
    bothLive()
    expect(names.conflict('WEB01')).toEqual({
      since: 1_060_000,
      kept: { ...a, since: 1_000_000 },
      others: [{ ...b, since: 1_060_000, lastAt: 1_060_000, refused: 1 }],
    })
    expect(told.get('web01')).toBeDefined()
    expect(names.mayConnect('web01', b, true)).toBe(false)
    expect(names.conflict('web01')?.others[0]?.refused).toBe(2)
  })

  test('a word that was on its way when the other came proves nothing', () => {
    names.mayConnect('web01', a, false)
    names.mayConnect('web01', b, true)
    later(1)
    names.heard('web01')
    expect(names.conflict('web01')).toBeUndefined()
  })

  test('a connection that ends unheard was a dead one: the newcomer is let in', () => {
    names.mayConnect('web01', a, false)
    expect(names.mayConnect('web01', b, true)).toBe(false)
    later(25)
    names.ended('web01')
    expect(names.mayConnect('web01', b, false)).toBe(true)
    names.heard('web01')
    expect(names.conflict('web01')).toBeUndefined()
  })

  test('while they are two the name is kept for its agent, which may be started anew', () => {
    bothLive()
    names.ended('web01')
    expect(names.mayConnect('web01', b, false)).toBe(false)
    const restarted = { id: 'a2', address: a.address }
    expect(names.mayConnect('web01', restarted, false)).toBe(true)
    expect(names.mayConnect('web01', b, true)).toBe(false)
    expect(names.conflict('web01')?.kept.id).toBe('a2')
  })

  test('when the first has gone the second has the name, and the conflict is over', () => {
    bothLive()
    names.ended('web01')
    for (let i = 0; i < 5; i++) {
      later(25)
      names.mayConnect('web01', b, false)
    }
    expect(names.mayConnect('web01', b, false)).toBe(true)
    expect(names.conflict('web01')).toBeUndefined()
  })

  test('when the second has gone the conflict is over', () => {
    bothLive()
    later(121)
    expect(names.conflict('web01')).toBeUndefined()
    expect(told.get('web01')).toBeUndefined()
  })

  test('who is back after another took its place was there first', () => {
    names.mayConnect('web01', a, false)
    names.mayConnect('web01', b, false)
    later(10)
    expect(names.mayConnect('web01', a, true)).toBe(true)
    expect(names.conflict('web01')).toMatchObject({ kept: a, others: [b] })
  })

  test('a hub that is started anew knows who was there first', () => {
    bothLive()
    const conflict = names.conflict('web01')!
    later(20)
    names = open(new Map([['web01', conflict]]))
    expect(names.mayConnect('web01', b, false)).toBe(false)
    expect(names.mayConnect('web01', a, false)).toBe(true)
  })
})

describe('agents behind a broker', () => {
  test('what the second says is not kept, and counted', () => {
    names.speaks('web01', 'a')
    names.speaks('web01', 'b')
    later(10)
    names.speaks('web01', 'a')
    expect(names.isKept('web01')).toBe(true)
    names.speaks('web01', 'b')
    expect(names.isKept('web01')).toBe(false)
    expect(names.conflict('web01')?.others[0]).toMatchObject({ id: 'b', address: null, refused: 2 })
    names.speaks('web01', 'a')
    expect(names.isKept('web01')).toBe(true)
  })
})
