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
    // On a shared machine a process can be starved at any moment, so a test of CI gets a second try, and the run ends with
    // the names of those that needed it: they are to be mended. Tests of "nothing is lost" have no second try.
    retry: process.env.CI === 'true' ? 1 : 0,
  },
})
