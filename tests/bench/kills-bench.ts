import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { productVersion } from '@harbinger/shared/version'
import { killAtRandom } from '../pipeline/kills.ts'
import { outageOfADay } from '../pipeline/outage.ts'
import type { Figure } from './figures.ts'

/** What becomes of samples when parts of the way are killed, and when the hub is away for a day. */
export async function benchKills({
  small,
  seed = 7,
  at,
}: {
  readonly small: boolean
  readonly seed?: number
  readonly at: string
}): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-kills-'))
  try {
    const outcome = await killAtRandom(folder, { kills: small ? 2 : 100, seed })
    const outage = await outageOfADay(mkdtempSync(join(folder, 'outage-')))
    const conditions = {
      cores: availableParallelism(),
      device: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      versions: { harbinger: productVersion },
      ...{
        at,
        seed,
        small,
        kills: outcome.kills,
        spooled: outcome.spooled,
        stored: outcome.stored,
      },
    }
    const figure = (
      name: string,
      value: number,
      { unit, bar }: { unit: string; bar: number },
    ): Figure => ({
      ...{ name, figure: Number(value.toPrecision(3)), unit, bar: `≤ ${bar}` },
      ...{ ok: value <= bar, conditions },
    })
    const samples = { unit: 'samples', bar: 0 }
    return [
      figure('random kills, lost', outcome.lost.length, samples),
      figure('random kills, stored twice', outcome.doubles, samples),
      figure('hub away for a day, lost', outage.lost, samples),
      figure('hub away for a day, stored twice', outage.doubles, samples),
      figure('hub away for a day, caught up', outage.seconds, { unit: 's', bar: 600 }),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
