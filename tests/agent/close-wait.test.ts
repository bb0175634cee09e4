import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { closeWaitCollector } from '../../agent/src/sample/close-wait.ts'
import { openProcfs } from '../../agent/src/sample/procfs.ts'

const sockets: Socket[] = []
let server: Server | undefined
let child: ChildProcess | undefined

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
  child?.kill('SIGKILL')
})

/** A socket whose other side has closed and that does not close itself: what a leaking program leaves behind. */
const leaking = { allowHalfOpen: true } as const

const ended = (socket: Socket): Promise<unknown> => {
  socket.resume()
  return once(socket, 'end')
}

test.skipIf(process.platform !== 'linux')(
  'counts exactly the sockets that a listener and a client leave in CLOSE_WAIT',
  async () => {
    const collector = closeWaitCollector(openProcfs('/proc'))
    const before = await collector.collect()
    const [n, m] = [7, 4]

    const accepted: Socket[] = []
    server = createServer(leaking, (socket) => {
      accepted.push(socket)
      sockets.push(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }

    // Front: clients come and close; this listener does not.
    for (let i = 0; i < n; i++) {
      const client = connect(port, '127.0.0.1')
      const arrived = once(server, 'connection')
      await Promise.all([once(client, 'connect'), arrived])
      const gone = ended(accepted.at(-1)!)
      client.end()
      await gone
      sockets.push(client)
    }
    expect(await collector.collect()).toEqual({
      back_close_wait: before.back_close_wait!,
      front_close_wait: before.front_close_wait! + n,
    })

    // Back: a server of another process closes; these clients do not. Its listener is gone before the count, so
    // that the ports of the clients are nobody's listening port.
    child = fork(new URL('./closing-server.mjs', import.meta.url))
    const [{ port: far }] = (await once(child, 'message')) as [{ port: number }]
    for (let i = 0; i < m; i++) {
      const client = connect({ port: far, host: '127.0.0.1', ...leaking })
      sockets.push(client)
      await once(client, 'connect')
      await ended(client)
    }
    expect(await collector.collect()).toEqual({
      back_close_wait: before.back_close_wait! + m,
      front_close_wait: before.front_close_wait! + n,
    })
  },
)
