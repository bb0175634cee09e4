import type { Condition } from './condition.ts'
import type { Fault, FaultKind } from './faults.ts'
import type { Levels } from './profile-levels.ts'

type Effect = (c: Condition, w: number, on: { s: number; levels: Levels; wave: number }) => void

/**
 * What a fault does to a server; `w` is how much of it shows (0 … 1), `s` its strength, `wave` a slow unrest in
 * [−1, 1] that is the server's own.
 */
const effects: { readonly [kind in FaultKind]: Effect } = {
  memory_leak(c, w, { s }) {
    c.mem += w * Math.max(0, 96 + 3.6 * s - c.mem)
  },
  socket_leak_back(c, w, { s }) {
    c.back += w * (400 + 900 * s)
    stall(c, Math.max(0, w - 0.8) * 5, 0.6)
  },
  socket_leak_front(c, w, { s }) {
    c.front += w * (400 + 900 * s)
    stall(c, Math.max(0, w - 0.8) * 5, 0.5)
  },
  disk_fill(c, w, { s, wave }) {
    // Clean-ups win back a little on the way; they do not turn it.
    const filled = w * (1 - 0.05 * Math.max(0, wave) * (1 - w) * 4)
    c.disk += filled * Math.max(0, 96 + 3.9 * s - c.disk)
    c.blocked += 0.05 * Math.max(0, w - 0.9)
  },
  noisy_neighbour(c, w, { s, wave }) {
    c.sys += w * (18 + 25 * s) * (0.75 + 0.25 * wave)
    c.user *= 1 - 0.15 * w
    c.queue += 0.5 * w
  },
  runaway_job(c, w, { s }) {
    c.user += w * (45 + 70 * s)
    c.javaShare *= 1 - 0.3 * w
  },
  io_saturation(c, w, { s, wave, levels }) {
    block(c, w * (0.5 + 0.45 * s) * (0.9 + 0.1 * wave))
    c.queue += w * (0.8 + 1.8 * s)
    c.netOut *= 1 - 0.35 * w
    c.back += w * levels.back * 3 * s
  },
  pool_exhaustion(c, w, { s }) {
    c.back += w * (80 + 220 * s)
    c.front += w * (30 + 60 * s)
    stall(c, w, 1.2 + 2.2 * s)
  },
  gc_spiral(c, w, { s, wave }) {
    c.user += w * (35 + 55 * s) * (0.85 + 0.15 * wave)
    c.javaShare += w * Math.max(0, 0.93 - c.javaShare)
    c.mem += w * Math.max(0, 88 + 6 * s - c.mem)
    c.netOut *= 1 - 0.5 * w
  },
  traffic_surge(c, w, { s, levels }) {
    const more = 1 + w * (0.5 + 1.5 * s)
    c.user *= more
    c.sys *= more
    c.netIn *= more
    c.netOut *= more
    c.front += w * levels.front * (1 + 5 * s)
    c.back += w * levels.back * (1 + 2 * s)
  },
  network_saturation(c, w, { s, levels }) {
    c.netIn += w * Math.max(0, 850 + 300 * s - c.netIn)
    c.netOut += w * Math.max(0, 600 + 300 * s - c.netOut)
    c.sys += w * (10 + 15 * s)
    c.front += w * (levels.front * 3 + 40 * s)
  },
  reboot(c, w) {
    c.sys += 12 * w
    c.queue += 0.8 * w
  },
  silent_death(c, w, { s }) {
    block(c, 0.5 * w * (0.5 + 0.5 * s))
    c.mem += w * Math.max(0, 93 + 5 * s - c.mem)
    c.queue += w * (1 + 2 * s)
  },
  dependency_stall(c, w, { s, levels }) {
    c.back += w * (levels.back * (20 + 30 * s) + 100 + 250 * s)
    c.front += w * (25 + 40 * s)
    stall(c, w, 1.5 + 2 * s)
  },
  lock_contention(c, w, { s }) {
    stall(c, 1.3 * w, 1.8 + 2.2 * s)
    c.sys += w * 14
  },
  interrupt_storm(c, w, { s, wave }) {
    c.sys += w * (35 + 45 * s) * (0.9 + 0.1 * wave)
    c.netIn *= 1 + 0.5 * w
  },
  double_leak(c, w, { s }) {
    c.mem += w * Math.max(0, 95 + 4 * s - c.mem)
    c.back += w * (250 + 500 * s)
  },
}

/** Work stands still and piles up, `perCore` tasks at full effect. */
function stall(c: Condition, w: number, perCore: number): void {
  const share = Math.min(1, w)
  c.user *= 1 - 0.5 * share
  c.netOut *= 1 - 0.55 * share
  c.queue += share * perCore
}

/** Adds waiting for a disk to what waits already. */
function block(c: Condition, share: number): void {
  c.blocked = 1 - (1 - Math.min(1, c.blocked)) * (1 - Math.min(0.97, Math.max(0, share)))
}

/** Changes `c` to what `fault` does to a server, `w` (0 … 1) of it showing. */
export function applyFault(
  c: Condition,
  fault: Fault,
  { at, w, levels, wave }: { at: number; w: number; levels: Levels; wave: number },
): void {
  const dies = fault.kind === 'reboot' || fault.kind === 'silent_death'
  if (!dies || at < fault.peak) {
    effects[fault.kind](c, w, { s: fault.strength, levels, wave })
    return
  }
  if (at < fault.relief) {
    if (w > 0.5) c.dead = true
    return
  }
  // Caches are cold and services start: memory is low, cores and disks are busy.
  c.mem *= 1 - 0.4 * w
  c.swap *= 1 - w
  c.user += 0.7 * w * Math.max(0, 75 - c.user - c.sys)
  block(c, 0.12 * w)
}

/** Memory at which the kernel begins to swap, and reclaim costs time. */
const pressureFrom = 93

/** Too little memory is paid for in swap, I/O wait and system time, whatever the cause. */
export function applyMemoryPressure(c: Condition): void {
  if (c.mem <= pressureFrom) return
  const p = Math.min(1, (c.mem - pressureFrom) / (100 - pressureFrom))
  c.swap += p * Math.max(0, 85 - c.swap)
  block(c, 0.35 * p * p)
  c.sys += 7 * p
  c.queue += 0.8 * p * p
}
