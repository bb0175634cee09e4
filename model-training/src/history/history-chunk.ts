import {
  historyCellProblem,
  type HistoryColumns,
  historyKeyColumns,
  readHistoryHeader,
} from '@harbinger/shared/history'
import { type MetricName, metrics } from '@harbinger/shared/metrics'
import { type Profile, profileId } from '@harbinger/shared/profiles'
import { openDuplicateCheck } from './duplicates.ts'
import { toInstant } from './instant.ts'

/** Some rows of a history file, column by column. */
export type HistoryChunk = {
  readonly rows: number
  /** Which row of the file comes first here; the first row of data is row 1. */
  readonly firstRow: number
  readonly at: Float64Array
  /** Per row a place in `serverNames`, which grows from chunk to chunk. */
  readonly server: Uint32Array
  readonly serverNames: readonly string[]
  /** Per row a profile id; 0 where the file does not say. */
  readonly profile: Uint8Array
  /** Per row; 0 where the file does not say. */
  readonly cores: Uint32Array
  /** One array per metric the file has; NaN is "not measured". */
  readonly values: ReadonlyMap<MetricName, Float32Array>
}

/** One column as its file format decodes it; null and undefined are "not measured". */
export type RawColumn = ArrayLike<unknown>

/**
 * Checks raw columns against the rules of the format and turns them into chunks. Throws at the first cell that may
 * not stand where it stands, naming column, row and value.
 */
export function openChunker(header: readonly string[]): {
  readonly columns: HistoryColumns
  readonly toChunk: (rows: number, column: (name: string) => RawColumn) => HistoryChunk
} {
  const columns = readHistoryHeader(header)
  const serverNames: string[] = []
  const codes = new Map<string, number>()
  const duplicates = openDuplicateCheck(serverNames)
  let firstRow = 1

  function toChunk(rows: number, column: (name: string) => RawColumn): HistoryChunk {
    const at = new Float64Array(rows)
    const server = new Uint32Array(rows)
    const times = column('timestamp')
    const names = column('server')
    for (let i = 0; i < rows; i++) {
      const instant = toInstant(times[i])
      if (instant === undefined) throw badCell('timestamp', firstRow + i, times[i])
      at[i] = instant
      const name = names[i] as string
      let code = codes.get(name)
      if (code === undefined) {
        if (historyCellProblem('server', name)) throw badCell('server', firstRow + i, name)
        code = serverNames.push(name) - 1
        codes.set(name, code)
      }
      server[i] = code
      duplicates.check(code, instant, firstRow + i)
    }
    const chunk: HistoryChunk = {
      rows,
      firstRow,
      at,
      server,
      serverNames,
      profile: columns.hasProfile
        ? toProfiles(column('profile'), rows, firstRow)
        : new Uint8Array(rows),
      cores: columns.hasCores ? toCores(column('cores'), rows, firstRow) : new Uint32Array(rows),
      values: new Map(
        columns.metrics.map((name) => [name, toValues(name, column(name), rows, firstRow)]),
      ),
    }
    firstRow += rows
    return chunk
  }

  return { columns, toChunk }
}

const isMissing = (value: unknown): boolean => value === null || value === undefined || value === ''

function toValues(name: MetricName, raw: RawColumn, rows: number, firstRow: number): Float32Array {
  const out = new Float32Array(rows)
  const max = metrics[name].max ?? Infinity
  for (let i = 0; i < rows; i++) {
    const cell = raw[i]
    if (isMissing(cell)) {
      out[i] = NaN
      continue
    }
    const value = typeof cell === 'number' ? cell : toNumber(cell)
    if (!(value >= 0 && value <= max && value < Infinity)) throw badCell(name, firstRow + i, cell)
    out[i] = value
  }
  return out
}

function toProfiles(raw: RawColumn, rows: number, firstRow: number): Uint8Array {
  const out = new Uint8Array(rows)
  for (let i = 0; i < rows; i++) {
    if (isMissing(raw[i])) continue
    if (historyCellProblem('profile', raw[i])) throw badCell('profile', firstRow + i, raw[i])
    out[i] = profileId(raw[i] as Profile)
  }
  return out
}

function toCores(raw: RawColumn, rows: number, firstRow: number): Uint32Array {
  const out = new Uint32Array(rows)
  for (let i = 0; i < rows; i++) {
    if (isMissing(raw[i])) continue
    const cores = toNumber(raw[i])
    if (historyCellProblem('cores', cores)) throw badCell('cores', firstRow + i, raw[i])
    out[i] = cores
  }
  return out
}

/** NaN when `cell` is no number: `Number` would read "" and true as numbers. */
function toNumber(cell: unknown): number {
  if (typeof cell === 'number') return cell
  if (typeof cell === 'bigint') return Number(cell)
  return typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : NaN
}

function badCell(column: string, row: number, value: unknown): Error {
  const asked = typeof value === 'bigint' || typeof value === 'string' ? toNumber(value) : value
  const keyed = (historyKeyColumns as readonly string[]).includes(column) || column === 'profile'
  const problem = historyCellProblem(column, keyed ? value : asked) ?? 'expected a UTC time'
  const seen = value === undefined || value === null ? 'nothing' : `"${String(value)}"`
  return new Error(`column ${column}, row ${row}: ${problem}, found ${seen}`)
}
