import { describe, expect, test } from 'vitest'
import { graphsFolder } from '../model/shipped.ts'
import { openEagerPeer, pythonWithTorch } from './eager-peer.ts'

test('says by name where it looked for PyTorch', () => {
  const found = pythonWithTorch('/no/such/python')
  if ('missing' in found) expect(found.missing).toMatch(/\/no\/such\/python.*HARBINGER_PYTHON/)
  else expect(found.python).not.toBe('/no/such/python')
})

const found = pythonWithTorch(process.env.HARBINGER_PYTHON)
if ('missing' in found) console.warn(`SKIPPED peer-bench.test.ts: ${found.missing}`)

describe.skipIf('missing' in found)('PyTorch beside the graph', () => {
  test('refuses weights of another network, and says so', async () => {
    const { python } = found as { python: string }
    const opened = openEagerPeer({
      ...{ python, graphs: graphsFolder, batches: [], theta: new Float32Array(7) },
      ...{ threads: 1, waits: 'asleep' },
    })
    await expect(opened).rejects.toThrow(/theta.bin holds 7 weights/)
  }, 60_000)
})
