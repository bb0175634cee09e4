import type { HistoryColumns } from '@harbinger/shared/history'
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { asyncBufferFromFile } from 'hyparquet/src/node.js'
import { compressors } from 'hyparquet-compressors'
import { type HistoryChunk, openChunker, type RawColumn } from './history-chunk.ts'

/** Numbers in place of Date objects: half a million of those are slow and large. */
const parsers = {
  timestampFromMilliseconds: (t: bigint) => Number(t),
  timestampFromMicroseconds: (t: bigint) => Number(t) / 1000,
  timestampFromNanoseconds: (t: bigint) => Number(t) / 1e6,
}

export async function* readParquet(
  path: string,
  noteColumns: (columns: HistoryColumns) => void,
): AsyncGenerator<{ chunk: HistoryChunk; share: number }> {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw new Error(`not a Parquet file (${(error as Error).message})`, { cause: error })
  })
  const header = parquetSchema(metadata).children.map((child) => child.element.name)
  const { columns, toChunk } = openChunker(header)
  noteColumns(columns)
  const wanted = header.filter((name) => !columns.ignored.includes(name))
  const total = Number(metadata.num_rows)

  let rowStart = 0
  // One row group at a time: asking for a part of one decodes all of it.
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows)
    const rowEnd = rowStart + rows
    const cells = new Map<string, RawColumn>()
    await parquetRead({
      file,
      metadata,
      columns: wanted,
      rowStart,
      rowEnd,
      compressors,
      parsers,
      onChunk: ({ columnName, columnData, rowStart: first, rowEnd: end }) => {
        const from = Math.max(rowStart, first)
        const to = Math.min(rowEnd, end)
        if (first === rowStart && end === rowEnd) return void cells.set(columnName, columnData)
        const column = (cells.get(columnName) as unknown[]) ?? new Array<unknown>(rows)
        for (let i = from; i < to; i++) column[i - rowStart] = columnData[i - first]
        cells.set(columnName, column)
      },
    })
    const chunk = toChunk(rows, (name) => cells.get(name)!)
    yield { chunk, share: rowEnd / total }
    rowStart = rowEnd
  }
}
