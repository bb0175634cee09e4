import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { killAtRandom } from './kills.ts'
import { noMosquitto } from './processes.ts'

/** `npm run bench -- kills` kills a hundred times. */
const kills = 5

test(
  `${kills} random kills of agent, hub and Mosquitto lose no sample and store none twice`,
  // No second try: it says that nothing is lost.
  { timeout: 300_000 },
  async ({ skip }) => {
    const missing = noMosquitto()
    if (missing) skip(missing)
    const folder = mkdtempSync(join(tmpdir(), 'harbinger-kills-'))
    try {
      const outcome = await killAtRandom(folder, { kills, seed: 42 })
      expect(outcome.lost).toEqual([])
      expect(outcome.doubles).toBe(0)
      expect(outcome.spooled).toBeGreaterThan(kills / 2)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
