/** With TLS on the agent of this machine joins its hub as any other server does: by a token, for a certificate. */
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment, pinnedNode, root } from './set-up.mjs'

export const agentProgram = 'agent/dist/harbinger-agent.js'

/** Joins unless it has joined this hub; answers its settings: a file, and what this machine knows better. */
export function joinOwnAgent({ address, mqttPort }, data) {
  const folder = join(data, 'agent')
  const file = join(folder, 'agent.yaml')
  const { hostname } = new URL(address)
  // Whatever the hub is called elsewhere, here it is on loopback, which its own certificate always names.
  const isHere = /^(127\.|\[::1\]|localhost)/.test(hostname)
  mkdirSync(folder, { recursive: true })
  if (!hasJoined(folder, data)) {
    const how = ['--data', data, '--expires', '10m', '--allow-rejoin', '--note', 'npm start']
    const { token, line } = JSON.parse(
      work('making a token', ['hub/src/main.ts', 'token', 'create', '--json', ...how]),
    )
    const [, , named, , , ...fingerprint] = line.split(' ')
    const hub = isHere && fingerprint.length > 0 ? address : named
    const rest = ['--token-file', '-', ...fingerprint, '--config', file]
    work('joining the hub', [agentProgram, 'join', hub, ...rest], {
      input: token,
      env: { HARBINGER_STATE_DIRECTORY: folder },
    })
  }
  return {
    file,
    env:
      isHere && mqttPort !== undefined && isOwnAuthority(folder)
        ? { HARBINGER_HUB: `mqtts://${hostname}:${mqttPort}`, HARBINGER_RENEWAL_URL: address }
        : {},
  }
}

const isOwnAuthority = (folder) => read(join(folder, 'tls/ca.pem')) !== undefined

/** The certificate is there, goes on for a while, and is of the authority that the hub has now. */
function hasJoined(folder, data) {
  const identity = read(join(folder, 'tls/identity.pem'))
  if (identity === undefined || read(join(folder, 'agent.yaml')) === undefined) return false
  const authority = read(join(data, 'tls/ca.pem'))
  const certificate = new X509Certificate(identity.slice(identity.indexOf('-----BEGIN CERT')))
  const isOurs =
    authority === undefined || certificate.verify(new X509Certificate(authority).publicKey)
  return isOurs && Date.parse(certificate.validTo) > Date.now()
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A command of ours; throws with what it said. */
function work(what, args, { input = '', env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(pinnedNode(), args, {
    cwd: root,
    input,
    encoding: 'utf8',
    env: { ...childEnvironment(), ...env },
  })
  if (status !== 0) throw new Error(`${what} failed: ${`${stdout}${stderr}`.trim()}`)
  return stdout
}
