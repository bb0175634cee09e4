import type { FleetSnapshot, ServerSummary, streamEvents } from '@harbinger/shared/api'
import type { FleetChange } from './view-sources.ts'

type EventName = (typeof streamEvents)[number]
type Entry = { readonly number: number; readonly text: string }

export type JournalOptions = {
  /** Sets this run of the hub apart: numbers of an earlier run mean nothing here. */
  readonly epoch: string
  /** How many bytes of past events are kept for clients that come back. Default 8 MiB. */
  readonly maxBytes?: number
}

export type ChangeJournal = ReturnType<typeof changeJournal>

/**
 * The events of the live stream in order, each as the text every client gets, made once. Only the last few are
 * kept: whoever was away for longer gets a new snapshot.
 */
export function changeJournal({ epoch, maxBytes = 8 * 1024 * 1024 }: JournalOptions) {
  const entries: Entry[] = []
  const lastSent = new Map<string, string>()
  let bytes = 0
  let number = 0
  let snapshotText: string | undefined

  const idOf = (at: number) => `${epoch}-${at}`

  function add(name: EventName, data: string): string {
    number++
    snapshotText = undefined
    const text = eventText(name, idOf(number), data)
    entries.push({ number, text })
    bytes += text.length
    while (bytes > maxBytes && entries.length > 0) bytes -= entries.shift()!.text.length
    return text
  }

  /** Rows that differ from what was last sent under their name. */
  function changed(rows: readonly ServerSummary[]): string[] {
    const texts: string[] = []
    for (const row of rows) {
      const text = JSON.stringify(row)
      if (lastSent.get(row.name) === text) continue
      lastSent.set(row.name, text)
      texts.push(text)
    }
    return texts
  }

  return {
    /** Keeps a change and returns what every client is to be sent, in order. */
    record({ servers, removed, fleet }: FleetChange): string {
      let text = ''
      const rows = changed(servers)
      if (rows.length > 0) text += add('servers', `[${rows.join(',')}]`)
      for (const name of removed) lastSent.delete(name)
      if (removed.length > 0) text += add('removed', JSON.stringify(removed))
      return text + add('fleet', JSON.stringify(fleet))
    },

    /** Everything at once, for a client that knows nothing. */
    snapshot(read: () => FleetSnapshot): string {
      if (snapshotText === undefined) {
        snapshotText = eventText('snapshot', idOf(number), JSON.stringify(read()))
        // The snapshot may be ahead of what was sent: a row that returns to what was sent before must be sent again.
        lastSent.clear()
      }
      return snapshotText
    },

    /** What came after `lastEventId`; undefined when it is not known (any more). */
    since(lastEventId: string): string | undefined {
      const cut = lastEventId.lastIndexOf('-')
      const seen = Number(lastEventId.slice(cut + 1))
      if (lastEventId.slice(0, cut) !== epoch || !Number.isInteger(seen) || seen > number) {
        return undefined
      }
      const oldest = entries[0]?.number ?? number + 1
      if (seen < oldest - 1) return undefined
      return entries
        .filter((entry) => entry.number > seen)
        .map(({ text }) => text)
        .join('')
    },
  }
}

const eventText = (name: EventName, id: string, data: string): string =>
  `id: ${id}\nevent: ${name}\ndata: ${data}\n\n`
