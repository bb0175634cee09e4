import type { Readings } from '@harbinger/shared/metrics'
import { smoothNoise, smoothstep } from './random.ts'
import { type MarketTime, shapeAt } from './market-day.ts'
import type { SimulatedServer, Traits } from './server-traits.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/**
 * What is asked of a server and what it holds, before its cores share it out: faults and scenarios act here, and
 * the readings follow, so that CPU, I/O wait and load always agree.
 */
export type Condition = {
  /** Asked of the cores, in % of all; together more than 100 means that tasks queue. */
  user: number
  sys: number
  /** Share of the time no core is busy in which a task waits for a disk. */
  blocked: number
  /** Java's share of the busy time. */
  javaShare: number
  mem: number
  swap: number
  disk: number
  netIn: number
  netOut: number
  back: number
  front: number
  /** Tasks per core that wait on locks, pools or disks in addition to those the cores queue. */
  queue: number
  /** The server does not answer. */
  dead: boolean
}

export const emptyCondition = (): Condition => ({
  ...{ user: 0, sys: 0, blocked: 0, javaShare: 0, mem: 0, swap: 0, disk: 0 },
  ...{ netIn: 0, netOut: 0, back: 0, front: 0, queue: 0, dead: false },
})

/** What all servers of a fleet feel together: the market's mood. */
export function marketMood(seed: number) {
  const day = smoothNoise(seed, 101, 20 * hourMs)
  const hour = smoothNoise(seed, 102, 90 * minuteMs)
  const minutes = smoothNoise(seed, 103, 12 * minuteMs)
  return (at: number): number => 0.05 * day(at) + 0.04 * hour(at) + 0.025 * minutes(at)
}

/** One healthy server as a function of time alone. */
export function healthyServer(server: SimulatedServer, traits: Traits) {
  const { profile } = server
  const { seed, restless, rhythm } = traits
  const noise = (channel: number, periodMs: number) => smoothNoise(seed, channel, periodMs)
  const days = noise(1, 36 * hourMs)
  const hours = noise(2, 5 * hourMs)
  const half = noise(3, 40 * minuteMs)
  const minutes = noise(4, 6 * minuteMs)
  const minute = noise(5, 1.5 * minuteMs)
  const batch = noise(6, 70 * minuteMs)
  const burst = noise(7, 9 * minuteMs)
  const fastA = noise(8, 14_000)
  const fastB = noise(9, 45_000)
  const ioHours = noise(10, 2 * hourMs)
  const ioMinutes = noise(11, 8 * minuteMs)
  const ioFast = noise(12, 20_000)
  const sysShare = noise(13, 30 * minuteMs)
  const javaShare = noise(14, 3 * hourMs)
  const memHours = noise(15, 9 * hourMs)
  const memMinutes = noise(16, 50 * minuteMs)
  const memFast = noise(17, 2 * minuteMs)
  const swapHours = noise(18, 8 * hourMs)
  const netMinutes = noise(19, 4 * minuteMs)
  const netFast = noise(20, 16_000)
  const backMinutes = noise(21, 17 * minuteMs)
  const backFast = noise(22, 50_000)
  const frontMinutes = noise(23, 13 * minuteMs)
  const frontFast = noise(24, 40_000)
  const loadFast = noise(25, 50_000)
  const isBatch =
    profile === 'data_ingest' || profile === 'ml_compute' || profile === 'risk_analytics'
  const marketShare = profile === 'ml_compute' ? 0.2 : 1
  /** Files grow for a week and are cleaned up; each server has its own day for it. */
  const weekMs = 7 * 24 * hourMs
  const cleanUp = (noise(26, 1)(0) + 1) / 2

  return {
    /** Writes the condition of a healthy server at `at`. */
    fill(c: Condition, at: number, { time, mood }: { time: MarketTime; mood: number }): void {
      const shape = 1 + (shapeAt(profile, time) - 1) * rhythm
      const wander =
        0.04 * days(at) +
        0.06 * hours(at) +
        0.06 * half(at) +
        0.05 * minutes(at) +
        0.035 * minute(at)
      let demand = shape * (1 + marketShare * mood) * (1 + restless * wander)
      if (isBatch) {
        const night = smoothstep((time.hour - 20) * 2) + smoothstep((7 - time.hour) * 2)
        if (night > 0) demand += 0.15 * night * restless * Math.max(0, batch(at) - 0.4)
      }
      const extra = 8 * restless * Math.max(0, burst(at) - 0.75)
      c.user = traits.user * demand + extra
      c.sys = traits.sys * (0.35 + 0.65 * demand) * (1 + 0.08 * sysShare(at)) + 0.2 * extra
      c.blocked =
        traits.blocked *
        (0.3 + 0.7 * demand) *
        (1 + 0.12 * ioHours(at) + 0.12 * ioMinutes(at) + 0.05 * minutes(at))
      c.javaShare = traits.javaShare * (1 + 0.06 * javaShare(at))
      const slow = shape * (1 + restless * (0.04 * days(at) + 0.06 * hours(at)))
      c.mem =
        traits.memory *
        (1 +
          traits.memorySwing * (slow - 1) +
          0.015 * memHours(at) +
          0.008 * memMinutes(at) +
          0.003 * memFast(at))
      c.swap = traits.swap * (1 + 0.08 * swapHours(at))
      const week = (at / weekMs + cleanUp) % 1
      c.disk = traits.disk + 5 * ((week < 0.98 ? week / 0.98 : (1 - week) / 0.02) - 0.5)
      const net = demand * (1 + 0.1 * netMinutes(at) + 0.08 * netFast(at))
      c.netIn = traits.netIn * net
      c.netOut = traits.netOut * net * (1 + 0.04 * minute(at))
      const sockets = 0.5 + 0.5 * demand
      c.back = traits.back * sockets * (1 + 0.35 * backMinutes(at) + 0.3 * backFast(at))
      c.front = traits.front * sockets * (1 + 0.35 * frontMinutes(at) + 0.3 * frontFast(at))
      c.queue = 0
      c.dead = false
    },

    /** What the agent would read of that condition. */
    readings(c: Condition, at: number, uptimeDays: number): Readings {
      const { cores } = server
      const asked = c.user + c.sys
      const fast = 1 + Math.min(1.5, restless) * (0.035 * fastA(at) + 0.025 * fastB(at))
      const busy = served(asked * fast)
      const share = asked > 0 ? busy / asked : 0
      const user = round2(c.user * share)
      const sys = round2(c.sys * share)
      const rest = 100 - user - sys
      const blocked = Math.min(0.985, Math.max(0, c.blocked))
      const iowait = round2(rest * Math.min(0.985, blocked * (1 + 0.09 * ioFast(at))))
      const slowBusy = served(asked)
      const slowIowait = (100 - slowBusy) * blocked
      const perCore =
        (traits.runnable * (slowBusy + slowIowait)) / 100 + queued(asked, cores) + c.queue
      return {
        cpu_user_pct: user,
        cpu_sys_pct: sys,
        cpu_iowait_pct: iowait,
        cpu_idle_pct: round2(rest - iowait),
        java_cpu_pct: round2((user + sys) * Math.min(1, Math.max(0, c.javaShare))),
        mem_used_pct: percent(c.mem),
        swap_used_pct: percent(c.swap),
        disk_usage_pct: percent(c.disk),
        net_in_mb_s: round2(Math.max(0, c.netIn)),
        net_out_mb_s: round2(Math.max(0, c.netOut)),
        back_close_wait: Math.max(0, Math.round(c.back)),
        front_close_wait: Math.max(0, Math.round(c.front)),
        load_average: round2(Math.max(0, perCore * cores * (1 + 0.05 * loadFast(at)))),
        uptime_days: Math.round(uptimeDays * 1e4) / 1e4,
      }
    },
  }
}

/** Cores serve what is asked up to 85 %, and ever less of what goes beyond; they never reach 100. */
const bend = 85
const most = 99.3
function served(asked: number): number {
  if (asked <= bend) return Math.max(0, asked)
  return bend + (most - bend) * (1 - Math.exp(-(asked - bend) / (most - bend)))
}

/** Tasks per core that wait for a core: Sakasegawa's approximation of the M/M/c queue, bounded in overload. */
function queued(asked: number, cores: number): number {
  const rho = Math.min(0.985, asked / 100)
  if (rho < 0.3) return 0
  const waiting = rho ** Math.sqrt(2 * (cores + 1)) / (1 - rho)
  return waiting / cores + Math.max(0, asked - 98.5) * 0.03
}

const round2 = (x: number): number => Math.round(x * 100) / 100
const percent = (x: number): number => round2(Math.min(100, Math.max(0, x)))
