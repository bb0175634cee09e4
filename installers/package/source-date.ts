import { runTool } from './run-tool.ts'
import { repository } from './target.ts'

/** The time that everything in a package bears: what the builder says, else that of the last commit. */
export function sourceDateOf(given: string | undefined): number {
  if (given !== undefined && !/^\d{1,10}$/.test(given)) {
    throw new Error(`SOURCE_DATE_EPOCH: expected seconds since 1970, got ${JSON.stringify(given)}`)
  }
  if (given !== undefined) return Number(given)
  try {
    return Number(runTool('git', ['log', '-1', '--format=%ct'], { cwd: repository }).trim())
  } catch (error) {
    throw new Error(
      'the time of this version is not known: build in a git checkout, or set SOURCE_DATE_EPOCH to seconds since 1970',
      { cause: error },
    )
  }
}
