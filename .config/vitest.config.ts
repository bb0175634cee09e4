import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['{shared,agent,hub,ui,model-training}/src/**/*.test.ts', 'tests/**/*.test.ts'],
    // Two cores: more workers only wait for each other.
    maxWorkers: 2,
    // Of a test that is well. A minute, because machines differ by three times and two files run side by side.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
