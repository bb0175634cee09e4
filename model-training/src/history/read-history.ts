import { stat } from 'node:fs/promises'
import type { HistoryColumns } from '@harbinger/shared/history'
import { readCsv } from './csv-file.ts'
import type { HistoryChunk } from './history-chunk.ts'
import { readParquet } from './parquet-file.ts'

export type ReadingProgress = { readonly rows: number; readonly share: number }

export type HistoryOptions = {
  /** Called after every chunk; `share` of the file is 0 … 1. */
  readonly onProgress?: ((progress: ReadingProgress) => void) | undefined
  /** Called once with the columns, before the first chunk. */
  readonly onColumns?: ((columns: HistoryColumns) => void) | undefined
  /** Called with one sentence per thing that is odd but allowed; default: nobody hears it. */
  readonly onWarning?: ((sentence: string) => void) | undefined
}

/**
 * Reads a history file, Parquet or CSV by its name, chunk by chunk: the one reader behind import, backtest and
 * training. Throws with column, row and value at the first cell that breaks the format.
 */
export async function* readHistory(
  path: string,
  options: HistoryOptions = {},
): AsyncGenerator<HistoryChunk> {
  const kind = /\.(parquet|csv)$/i.exec(path)?.[1]?.toLowerCase()
  if (kind === undefined) {
    throw new Error(`${path}: a history file ends in .parquet or .csv`)
  }
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new Error(`${path}: no such file`)
  const noteColumns = (columns: HistoryColumns): void => {
    if (columns.ignored.length > 0) {
      options.onWarning?.(
        `${path}: ignored ${columns.ignored.length === 1 ? 'column' : 'columns'} ${columns.ignored.join(', ')}`,
      )
    }
    options.onColumns?.(columns)
  }
  const chunks =
    kind === 'csv' ? readCsv(path, found.size, noteColumns) : readParquet(path, noteColumns)
  try {
    for await (const { chunk, share } of chunks) {
      options.onProgress?.({ rows: chunk.firstRow + chunk.rows - 1, share })
      yield chunk
    }
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}
