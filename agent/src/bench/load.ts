import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Makes this machine a busy one: real processes that sleep, and real sockets of this process. */
export async function openLoad({ processes, sockets }: { processes: number; sockets: number }) {
  const sleepers = Array.from({ length: processes }, () =>
    spawn('sleep', ['86400'], { stdio: 'ignore' }),
  )
  const held: Socket[] = []
  const server = createServer((socket) => held.push(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1', 511)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  // A connection within one machine is two sockets.
  for (let i = 0; i < sockets / 2; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    held.push(socket)
    await once(socket, 'connect')
  }
  await Promise.all(sleepers.map((child) => child.pid ?? once(child, 'spawn')))
  return {
    async close(): Promise<void> {
      for (const socket of held) socket.destroy()
      server.close()
      await Promise.all(sleepers.map(end))
    },
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}
