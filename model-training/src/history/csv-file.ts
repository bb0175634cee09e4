import { createReadStream } from 'node:fs'
import type { HistoryColumns } from '@harbinger/shared/history'
import { parse } from 'csv-parse'
import { type HistoryChunk, openChunker } from './history-chunk.ts'

const chunkRows = 16_384

export async function* readCsv(
  path: string,
  bytes: number,
  noteColumns: (columns: HistoryColumns) => void,
): AsyncGenerator<{ chunk: HistoryChunk; share: number }> {
  const file = createReadStream(path)
  const records = file.pipe(parse({ bom: true, skip_empty_lines: true }))
  // pipe does not hand errors on, and an unreadable file must not end as an empty one.
  file.on('error', (error) => records.destroy(error))
  let header: string[] | undefined
  let chunker: ReturnType<typeof openChunker> | undefined
  let rows: string[][] = []

  const take = (): { chunk: HistoryChunk; share: number } => {
    const taken = rows
    rows = []
    const chunk = chunker!.toChunk(taken.length, (name) => {
      const column = header!.indexOf(name)
      return taken.map((row) => row[column])
    })
    return { chunk, share: bytes === 0 ? 1 : Math.min(1, file.bytesRead / bytes) }
  }

  for await (const record of records as AsyncIterable<string[]>) {
    if (!chunker) {
      header = record.map((name) => name.trim())
      chunker = openChunker(header)
      noteColumns(chunker.columns)
      continue
    }
    if (rows.push(record) === chunkRows) yield take()
  }
  if (!chunker) throw new Error('the file is empty: the first line must name the columns')
  if (rows.length > 0) yield take()
}
