/** Listens on a free port, tells which, and closes every connection as soon as it is there. */
import { createServer } from 'node:net'

const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port })
})
