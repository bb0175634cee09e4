import { type Collector, round } from './collector.ts'
import type { Procfs } from './procfs.ts'

/** Bytes since the interface came up. */
export type Traffic = { readonly received: number; readonly sent: number }

const bytesPerMegabyte = 1e6

/**
 * Bytes over physical interfaces per second. Bridges, bonds, VLANs and tunnels pass on what a physical interface
 * below them has counted, so they are left out. `elapsedMs` is a monotonic clock.
 */
export function networkCollector(
  procfs: Pick<Procfs, 'text'>,
  sysfs: Pick<Procfs, 'exists' | 'link'>,
  monotonicMs: () => number,
): Collector<'net_in_mb_s' | 'net_out_mb_s'> {
  let previous: { at: number; traffic: ReadonlyMap<string, Traffic> } | undefined
  /** Whether an interface has hardware behind it does not change while it exists. */
  let hasDevice = new Map<string, boolean>()

  return {
    name: 'network',
    reads: ['net_in_mb_s', 'net_out_mb_s'],
    collect() {
      const all = parseTraffic(procfs.text('net/dev'))
      hasDevice = new Map(
        [...all.keys()].map((name) => [
          name,
          hasDevice.get(name) ?? sysfs.exists(`class/net/${name}/device`),
        ]),
      )
      const traffic = new Map(
        pickInterfaces(hasDevice, (name) => sysfs.link(`class/net/${name}/master`)).map((name) => [
          name,
          all.get(name)!,
        ]),
      )
      const before = previous
      previous = { at: monotonicMs(), traffic }
      const seconds = (previous.at - (before?.at ?? previous.at)) / 1000
      if (!before || seconds <= 0 || traffic.size === 0) return {}

      let received = 0
      let sent = 0
      for (const [name, now] of traffic) {
        // An interface that appeared since then has nothing to be compared with.
        const then = before.traffic.get(name) ?? now
        // A driver that was reset starts again from 0; what it did meanwhile counts as none.
        received += Math.max(0, now.received - then.received)
        sent += Math.max(0, now.sent - then.sent)
      }
      return {
        net_in_mb_s: round(received / bytesPerMegabyte / seconds, 3),
        net_out_mb_s: round(sent / bytesPerMegabyte / seconds, 3),
      }
    },
  }
}

/** /proc/net/dev, see proc_pid_net(5): name: 8 columns received, 8 columns sent, bytes first. */
export function parseTraffic(dev: string): Map<string, Traffic> {
  const traffic = new Map<string, Traffic>()
  for (const line of dev.split('\n').slice(2)) {
    const colon = line.lastIndexOf(':')
    if (colon === -1) continue
    const columns = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
    const received = Number(columns[0])
    const sent = Number(columns[8])
    if (columns.length < 9 || !(received >= 0) || !(sent >= 0)) {
      throw new Error(`/proc/net/dev: expected counters, got ${JSON.stringify(line.slice(0, 80))}`)
    }
    traffic.set(line.slice(0, colon).trim(), { received, sent })
  }
  return traffic
}

/** Interfaces made by software, by the names the usual programs give them. */
const virtual =
  /^(lo|docker|br-|br\d|virbr|lxc|lxdbr|veth|bond|team|dummy|ifb|tun|tap|sit|gre|erspan|ip6|ip_vti|tunl|cni|flannel|cali|cilium|vxlan|geneve|wg|kube|nodelocal|vlan|macvlan|ipvlan|vmnet|zt|tailscale)|[.:@]/

/**
 * The interfaces whose traffic is the server's. Where none has hardware behind it (a container has a virtual eth0
 * and nothing else), all that do not carry the name of a bridge, tunnel and the like.
 */
export function pickInterfaces(
  hasDevice: ReadonlyMap<string, boolean>,
  masterOf: (name: string) => string | undefined,
): string[] {
  const physical = [...hasDevice.keys()].filter((name) => hasDevice.get(name))
  if (physical.length === 0) return [...hasDevice.keys()].filter((name) => !virtual.test(name))
  return physical.filter((name) => {
    // Hyper-V's netvsc and virtio's failover pair put one device above another and count its traffic again; both
    // have hardware behind them. A bond or bridge has none.
    const master = masterOf(name)?.split('/').pop()
    return master === undefined || !hasDevice.get(master)
  })
}
