import { execFile } from 'node:child_process'
import { connect, isIP } from 'node:net'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'

export type Place = { readonly host: string; readonly port: number }

/** Each step of the way to a hub; none may take longer. */
export const stepMs = 3_500

/** `code` is the system's; ETIMEDOUT also when nothing came back in time. */
export type Named = { readonly addresses: readonly string[] } | { readonly code: string }
export type Reached = 'open' | { readonly code: string }

const codeOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}

const lookUp = `require('node:dns').lookup(process.argv[1], { all: true }, (error, all) =>
  console.log(JSON.stringify(error ? { code: error.code } : { addresses: all.map(({ address }) => address) })))`

/**
 * As the system looks names up, in a process of its own: the C library may wait half a minute for a dead DNS server,
 * nothing but an end with force stops it, and a process does not end before it.
 */
export function findAddress(host: string): Promise<Named> {
  if (isIP(host)) return Promise.resolve({ addresses: [host] })
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-e', lookUp, host],
      { timeout: stepMs, killSignal: 'SIGKILL' },
      (error, stdout) => {
        if (stdout.startsWith('{')) return resolve(JSON.parse(stdout) as Named)
        resolve({ code: error?.killed ? 'ETIMEDOUT' : `the look-up ended with ${error?.message}` })
      },
    )
  })
}

/** Whether the port takes a connection. Nothing is said on it. */
export const reachPort = ({ host, port }: Place): Promise<Reached> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: stepMs })
    const finish = (found: Reached) => {
      socket.destroy()
      resolve(found)
    }
    socket.once('connect', () => finish('open'))
    socket.once('timeout', () => finish({ code: 'ETIMEDOUT' }))
    socket.once('error', (error: NodeJS.ErrnoException & { errors?: readonly Error[] }) =>
      // Several addresses, none of which took it: the first says why.
      finish({ code: codeOf(error.errors?.[0] ?? error) }),
    )
  })

/** What came of looking up a name, and what to do when nothing did. */
export function judgeName(check: string, host: string, named: Named, where: string): Finding {
  if ('addresses' in named) {
    return isIP(host)
      ? fine(check, `${host} is an address`)
      : fine(check, `${host} is ${named.addresses.join(', ')}`)
  }
  if (named.code === 'ENOTFOUND') {
    return failed(
      check,
      `there is no ${host}: the DNS knows no such name`,
      `correct the name in ${where}, or add it to the DNS or to /etc/hosts; to try: getent hosts ${host}`,
    )
  }
  return failed(
    check,
    named.code === 'EAI_AGAIN' || named.code === 'ETIMEDOUT'
      ? `no DNS server answers when asked for ${host} (${named.code}); the name may well be right`
      : `${host} cannot be looked up: ${named.code}`,
    `repair name resolution on this server: cat /etc/resolv.conf, ping the server named there, and try: getent hosts ${host}`,
  )
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/i.test(host)

/** What came of knocking at a port, and who has to do what. */
export function judgePort(
  check: string,
  { host, port }: Place,
  reached: Reached,
  { listens }: { readonly listens: string },
): Finding {
  if (reached === 'open') return fine(check, `${host}:${port} takes connections`)
  const at = `${host}:${port}`
  switch (reached.code) {
    case 'ECONNREFUSED':
      if (isLoopback(host)) {
        return failed(
          check,
          `${at} refuses the connection: no hub runs on this machine`,
          'if the hub is another machine, join it: harbinger token create there prints the line to run here; if it is this one: systemctl status harbinger-hub',
        )
      }
      return failed(
        check,
        `${at} refuses the connection: the machine is there, nothing listens on that port`,
        `on ${host}: systemctl status harbinger-hub, and ss -ltn 'sport = :${port}'\nif it listens on 127.0.0.1 alone, set ${listens} in /etc/harbinger/hub.yaml there (a fresh hub hears its own machine only)`,
      )
    case 'ETIMEDOUT':
      return failed(
        check,
        `${at} does not answer (nothing came back in ${stepMs / 1000} s): a firewall drops it, or the machine is off`,
        `let TCP port ${port} through: on ${host}, firewall-cmd --permanent --add-port=${port}/tcp && firewall-cmd --reload, or ufw allow ${port}/tcp; then the firewalls between\nto see whether packets arrive, on ${host}: tcpdump -ni any tcp port ${port}`,
      )
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return failed(
        check,
        `there is no way to ${at} (${reached.code})`,
        `check the network of this server: ip route get ${host}, ip -br address`,
      )
    case 'EACCES':
    case 'EPERM':
      return failed(
        check,
        `this server does not let the agent connect to ${at} (${reached.code})`,
        `look for a firewall rule for outgoing connections, and at the unit: systemctl cat harbinger-agent | grep IPAddress`,
      )
    default:
      return failed(
        check,
        `${at} cannot be reached: ${reached.code}`,
        `check the network between here and ${host}`,
      )
  }
}

/** The ports that Harbinger uses by default and what speaks there, to find one that was taken for another. */
const usual: { readonly [port: number]: string } = {
  1883: 'mqtt',
  8883: 'mqtts',
  8080: 'http',
  8443: 'https',
  443: 'https',
  80: 'http',
}

/** Whether scheme, host and port of an address go together. */
export function judgeAddress(check: string, url: string, { host, port }: Place): Finding {
  const scheme = new URL(url).protocol.slice(0, -1)
  const expected = usual[port]
  if (expected !== undefined && expected !== scheme) {
    const advice =
      scheme.startsWith('mqtt') && expected.startsWith('http')
        ? `${port} is the usual port of the fleet view; agents are heard on mqtts://${host}:8883 (with TLS) or mqtt://${host}:1883`
        : scheme.startsWith('http') && expected.startsWith('mqtt')
          ? `${port} is the usual port for agents; the fleet view is at https://${host}:8443 or http://${host}:8080`
          : `${port} is the usual port of ${expected}://`
    return warning(check, `${url}: port ${port} does not go with ${scheme}://`, advice)
  }
  if (scheme === 'mqtt' && !isLoopback(host)) {
    return warning(
      check,
      `${url}: whoever is on the network between may read and forge what this server says`,
      'set tls.mode: on on the hub and join: harbinger token create prints the line',
    )
  }
  return fine(check, url)
}

export const notReached = (checks: readonly string[], because: string): Finding[] =>
  checks.map((check) => notChecked(check, because))
