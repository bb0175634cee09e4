import { execFileSync } from 'node:child_process'

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
const ip = (...args: string[]): void => void execFileSync('ip', args, { env, stdio: 'pipe' })

/**
 * Why no network namespace can be made here; undefined when one can. A program that is missing fails in CI, which installs
 * it; that a container's root may make no networks does not.
 */
export function noNamespace(): string | undefined {
  const name = `harbinger-probe-${process.pid}`
  try {
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return undefined
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isAbsent ? 'ip (iproute2) is not installed' : (error as Error).message.trim()
    const reason = `no network namespace can be made: ${why}`
    if (isAbsent && process.env.CI === 'true') {
      throw new Error(`${reason}, and CI has to test it`, { cause: error })
    }
    return reason
  }
}

/** A machine of its own, as far as the network goes, on a cable to this one. */
export function openNamespace() {
  const name = `harbinger-${process.pid}`
  // A network for benchmarks (RFC 2544), so nobody's; four addresses of it for each process that tests.
  const four = `198.18.${(process.pid >> 6) & 255}`
  const first = (process.pid & 63) * 4
  const [here, there] = [`${four}.${first + 1}`, `${four}.${first + 2}`]
  const [near, far] = [`hb${process.pid}a`, `hb${process.pid}b`]
  ip('netns', 'add', name)
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
  ip('addr', 'add', `${here}/30`, 'dev', near)
  ip('link', 'set', near, 'up')
  ip('-n', name, 'addr', 'add', `${there}/30`, 'dev', far)
  ip('-n', name, 'link', 'set', far, 'up')
  return {
    /** This machine, as seen from there. */
    address: here,
    within: ['ip', 'netns', 'exec', name],
    /** Packets are lost in both directions, and no connection is told. */
    pullCable: (): void => ip('-n', name, 'link', 'set', far, 'down'),
    plugCable: (): void => ip('-n', name, 'link', 'set', far, 'up'),
    close(): void {
      ip('link', 'del', near)
      ip('netns', 'del', name)
    },
  }
}
