import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const bench = (...args: string[]) =>
  run(process.execPath, [fileURLToPath(new URL('./bench.ts', import.meta.url)), ...args])

// Whether a bench works, not how fast this machine is.
test.each(
  process.platform === 'linux'
    ? [
        'accuracy',
        'calibration',
        'cycle',
        'devices',
        'incidents',
        'ingest',
        'profiles',
        'questions',
        'train',
        'agent',
        'reconnect',
      ]
    : ['cycle'],
)(
  '%s prints a figure beside its bar',
  async (name) => {
    const { stdout } = await bench(name, '--small', '--json')
    const figures = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(figures.length).toBeGreaterThan(0)
    for (const figure of figures) {
      expect(figure).toEqual(
        expect.objectContaining({
          name: expect.any(String),
          figure: expect.any(Number),
          unit: expect.any(String),
          ok: expect.any(Boolean),
          conditions: expect.objectContaining({ cores: expect.any(Number), node: process.version }),
        }),
      )
      expect(figure).toHaveProperty('bar')
    }
  },
  240_000,
)

test('a bench that does not exist, and small figures for the record, are refused', async () => {
  await expect(bench('nonsense')).rejects.toMatchObject({ code: 1 })
  await expect(bench('cycle', '--small', '--record')).rejects.toMatchObject({ code: 1 })
})
