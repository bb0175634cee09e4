import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { outageOfADay, spoolIn } from './outage.ts'

test(
  'after a day without a hub everything arrives, once and within minutes, and live samples beside it',
  // No second try: it says that nothing is lost.
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'harbinger-outage-'))
    try {
      const { count, waiting, seconds, doubles, lost, state } = await outageOfADay(folder)
      expect(waiting).toBe(count)
      expect({ doubles, lost }).toEqual({ doubles: 0, lost: 0 })
      expect(seconds).toBeLessThan(600)
      // What the hub acknowledged before the agent stopped is known to its next start.
      const spool = spoolIn(state)
      expect(spool.state().dropped).toBe(0)
      expect(spool.state().samples).toBeLessThan(3)
      await spool.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
