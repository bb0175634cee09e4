/** Asks a hub of this machine, in the clear or by the very certificate that it has. */
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'

const timeoutMs = 5000

/** How the hub is, asked with what it notes in its data folder; undefined when it does not answer. */
export function healthOf({ address, secret, certificate }) {
  const options = {
    headers: secret ? { authorization: `Bearer ${secret}` } : {},
    timeout: timeoutMs,
    // Nothing but this certificate is trusted, whatever names stand in it.
    ...(certificate && {
      ca: certificate,
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
    }),
  }
  const get = certificate ? getSecure : getPlain
  return new Promise((resolve) => {
    const asked = get(`${address}/api/v1/health`, options, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('error', () => resolve(undefined))
      answer.on('data', (chunk) => (text += chunk))
      answer.on('end', () => resolve(answer.statusCode === 200 ? parsed(text) : undefined))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(undefined))
    asked.on('close', () => resolve(undefined))
  })
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
