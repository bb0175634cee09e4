import type { Client } from 'aedes'

type Parser = {
  packet?: { readonly length?: number }
  parse: (bytes: Uint8Array) => number
}

/**
 * Hangs up on a client that announces a packet longer than `maxBytes`, as soon as its length is read. aedes would
 * collect up to 256 MB first (MQTT 3.1.1, 2.2.3), and has no setting for it; its parser is reached by a private name,
 * which tests/pipeline/ingest.test.ts watches over.
 */
export function limitFrames(client: Client, maxBytes: number): void {
  const parser = (client as unknown as { _parser: Parser })._parser
  const parse = parser.parse.bind(parser)
  parser.parse = (bytes) => {
    const left = parse(bytes)
    if ((parser.packet?.length ?? 0) > maxBytes) client.conn.destroy()
    return left
  }
}
