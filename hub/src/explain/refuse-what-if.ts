import { changeKinds, type WhatIfRequest } from '@harbinger/shared/explanation'
import { cpuParts, metrics, type MetricName } from '@harbinger/shared/metrics'

/** Why a question cannot be meant: what its schema cannot say. Names the field and the reason. */
export function refuseWhatIf(request: WhatIfRequest): string | undefined {
  const { changes = [], profile, cores, memoryGib } = request
  if (changes.length === 0 && !profile && !cores && !memoryGib) {
    return 'body: nothing is changed; give changes, profile, cores or memoryGib'
  }
  const seen = new Set<MetricName>()
  for (const [i, change] of changes.entries()) {
    const { metric } = change
    const field = `body changes.${i}`
    const ways = changeKinds.filter((kind) => change[kind] !== undefined)
    if (ways.length !== 1) {
      return `${field}: must have exactly one of multiply, add and set, got ${ways.length === 0 ? 'none' : ways.join(' and ')}`
    }
    if (metric === 'uptime_days') {
      return `${field}.metric: uptime passes as time does and cannot be changed`
    }
    const { max } = metrics[metric]
    if (max !== undefined && change.set !== undefined && change.set > max) {
      return `${field}.set: ${metric} is at most ${max}, got ${change.set}`
    }
    if (seen.has(metric)) return `${field}.metric: ${metric} is changed twice`
    seen.add(metric)
  }
  const otherParts = cpuParts.filter((part) => part !== 'cpu_idle_pct' && seen.has(part))
  if (seen.has('cpu_idle_pct') && otherParts.length > 0) {
    return `body changes: change either cpu_idle_pct or ${otherParts.join(', ')}: the CPU parts are 100 % together, so one follows from the other`
  }
  return undefined
}
