import { basename } from 'node:path'
import { type FleetHistory, toFleetHistory } from './fleet-history.ts'
import { type HistoryOptions, readHistory } from './read-history.ts'

/** Reads a history file into series. */
export const loadHistory = (
  path: string,
  { maxMinutes, ...options }: HistoryOptions & { readonly maxMinutes?: number } = {},
): Promise<FleetHistory> =>
  toFleetHistory(readHistory(path, options), {
    name: basename(path),
    onWarning: options.onWarning,
    maxMinutes,
  })
