import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with the names of the tests that passed only on their second try, so that none of them goes unseen. */
// eslint-disable-next-line no-restricted-syntax -- vitest takes the default export
export default class SecondTryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]) {
    const names = modules.flatMap((module) =>
      [...module.children.allTests('passed')]
        .filter((test) => test.diagnostic()?.flaky)
        .map((test) => `  ${module.relativeModuleId} > ${test.fullName}`),
    )
    if (names.length > 0)
      process.stdout.write(`passed on the second try, to be mended:\n${names.join('\n')}\n`)
  }
}
