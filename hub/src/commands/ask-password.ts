import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

const longest = 4096

/**
 * A password from the terminal, unseen and twice; or the first line of what is piped in. Never from an argument:
 * everybody on the machine sees those.
 */
export async function askPassword(
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string> {
  if (!input.isTTY) return firstLine(input)
  // Readline echoes what it writes to its output: into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true })
  const ask = async (question: string): Promise<string> => {
    output.write(question)
    const answer = await lines.question('')
    output.write('\n')
    return answer
  }
  try {
    const password = await ask('Password: ')
    if (password !== (await ask('The same again: '))) throw new Error('the two are not the same')
    return password
  } finally {
    lines.close()
  }
}

async function firstLine(input: AsyncIterable<Buffer | string>): Promise<string> {
  let text = ''
  for await (const chunk of input) {
    text += String(chunk)
    if (text.includes('\n') || text.length > longest) break
  }
  const [line = ''] = text.split(/\r?\n/, 1)
  if (line === '') throw new Error('no password came in: type it, or pipe it in as one line')
  return line
}
