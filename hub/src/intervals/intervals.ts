import type {
  IntervalEstimate,
  IntervalRule,
  IntervalRuleRequest,
  Intervals,
  RuleChange,
  RuleTarget,
} from '@harbinger/shared/intervals-api'
import { maxIntervalRules, ruleKinds } from '@harbinger/shared/intervals-api'
import { bytesPerDay, countedOnWire, type WireMeter } from '../ingest/wire-meter.ts'
import type { Log } from '../log.ts'
import { intervalInForce } from '../storage/interval-in-force.ts'
import { type IntervalRuleStore, type KeptRule, ruleKey } from '../storage/interval-rule-store.ts'
import type { Server } from '../storage/server-store.ts'
import { isFor, ruleFor, ruleKeysOf, type Rules } from './decide-interval.ts'

type Parts = {
  readonly store: IntervalRuleStore
  readonly servers: () => Iterable<Server>
  /** Tells an agent, retained; null takes back what it was told. False when nobody could be told. */
  readonly tell: (server: string, seconds: number | null) => boolean
  readonly wire: () => Pick<WireMeter, 'of' | 'minutes'>
  readonly now: () => number
  readonly log: Pick<Log, 'info'>
}

/** What is asked of a server, and what it does. */
export type IntervalFacts = {
  readonly seconds: number
  readonly from: 'own' | 'hub' | 'measured'
  readonly own: number | null
  readonly rule: Pick<KeptRule, 'kind' | 'target' | 'seconds'> | null
}

export type IntervalRoom = ReturnType<typeof intervalRoom>

/** At what interval servers sample: the rules, what each agent is told by them, and what that costs. */
export function intervalRoom({ store, servers, tell, wire, now, log }: Parts) {
  /** What the broker retains, as far as this hub told it. */
  const told = new Map<string, number>()

  function follow(server: Server): void {
    const seconds = ruleFor(store.rules(), server)?.seconds
    if (seconds === told.get(server.name)) return
    if (!tell(server.name, seconds ?? null)) return
    if (seconds === undefined) told.delete(server.name)
    else told.set(server.name, seconds)
  }

  function followAll(): void {
    const gone = new Set(told.keys())
    for (const server of servers()) {
      follow(server)
      gone.delete(server.name)
    }
    // Of a server that left the fleet nothing is asked any more.
    for (const name of gone) if (tell(name, null)) told.delete(name)
  }

  const inForce = (server: Server): number => intervalInForce(server, now()).ms / 1000
  const isPending = ({ inventory }: Server, { seconds }: KeptRule): boolean => {
    const said = inventory?.interval
    return said?.from !== 'hub' || said.seconds !== seconds
  }

  /** Whom each rule is for and whom it decides, in one pass over the servers: there may be many of both. */
  function countServers(rules: Rules) {
    const counts = new Map(
      [...rules.keys()].map((key) => [key, { servers: 0, decides: 0, pending: 0 }]),
    )
    let withoutRule = 0
    for (const server of servers()) {
      for (const key of ruleKeysOf(server)) {
        const count = counts.get(key)
        if (count) count.servers++
      }
      const rule = ruleFor(rules, server)
      if (!rule) {
        withoutRule++
        continue
      }
      const count = counts.get(ruleKey(rule))!
      count.decides++
      if (isPending(server, rule)) count.pending++
    }
    return { counts, withoutRule }
  }

  const toAnswer = (
    rule: KeptRule,
    { counts }: Pick<ReturnType<typeof countServers>, 'counts'>,
  ): IntervalRule => ({
    ...{ kind: rule.kind, target: rule.target, seconds: rule.seconds, setBy: rule.setBy },
    setAt: new Date(rule.setAt).toISOString(),
    ...counts.get(ruleKey(rule))!,
  })

  /** The rules as they were after a change. */
  function changed({ kind, target, seconds }: RuleChange): Rules {
    const rules = new Map(store.rules())
    const key = ruleKey({ kind, target })
    if (seconds === undefined) rules.delete(key)
    else rules.set(key, { kind, target, seconds, setAt: now(), setBy: '' })
    return rules
  }

  const sources = {
    intervals(): Intervals {
      const rules = store.rules()
      const found = countServers(rules)
      const order = (rule: KeptRule) => ruleKinds.indexOf(rule.kind)
      return {
        rules: [...rules.values()]
          .sort((a, b) => order(a) - order(b) || (a.target < b.target ? -1 : 1))
          .map((rule) => toAnswer(rule, found)),
        withoutRule: found.withoutRule,
        nextCursor: null,
      }
    },

    estimateInterval(change: RuleChange): IntervalEstimate {
      const before = store.rules()
      const after = changed(change)
      const key = ruleKey(change)
      const isDecided = (rule: KeptRule | undefined) => rule !== undefined && ruleKey(rule) === key
      const estimate = { servers: 0, decidedByOthers: 0, touched: 0, measured: 0 }
      const bytes = { now: 0, then: 0 }
      for (const server of servers()) {
        if (!isFor(change, server)) continue
        estimate.servers++
        const next = ruleFor(after, server)
        if (!isDecided(next) && !isDecided(ruleFor(before, server))) {
          estimate.decidedByOthers++
          continue
        }
        estimate.touched++
        const onWire = wire().of(server.name)
        const then = next?.seconds ?? server.inventory?.interval?.own
        if (!onWire || then === undefined) continue
        estimate.measured++
        bytes.now += bytesPerDay(onWire, inForce(server))
        bytes.then += bytesPerDay(onWire, then)
      }
      return {
        ...estimate,
        minutes: Math.round(10 * wire().minutes()) / 10,
        bytesPerDay:
          estimate.measured === 0
            ? null
            : { now: Math.round(bytes.now), then: Math.round(bytes.then) },
        included: countedOnWire,
      }
    },

    setInterval(asked: IntervalRuleRequest, by: string): IntervalRule | { refused: string } {
      const known = store.rules().get(ruleKey(asked))
      if (!known && store.rules().size >= maxIntervalRules) {
        return {
          refused: `there are ${maxIntervalRules} rules for intervals, as many as there may be: use a tag or a profile`,
        }
      }
      store.put({ ...asked, setAt: now(), setBy: by })
      followAll()
      log.info({ rule: ruleKey(asked), seconds: asked.seconds, by }, 'interval rule set')
      return toAnswer(store.rules().get(ruleKey(asked))!, countServers(store.rules()))
    },

    removeInterval(target: RuleTarget): RuleTarget | undefined {
      const removed = store.remove(target)
      if (!removed) return undefined
      followAll()
      log.info({ rule: ruleKey(target) }, 'interval rule removed')
      return { kind: removed.kind, target: removed.target }
    },
  }

  return {
    sources,
    /** Tells these servers what is asked of them, where that has changed: by a rule, their profile or their tags. */
    follow: (some: Iterable<Server>): void => {
      for (const server of some) follow(server)
    },
    followAll,
    /** Sees what the command line has written. */
    refresh(): void {
      if (store.refresh()) followAll()
    },
    /** Tells every agent anew: after a start, or when a broker may have lost or kept what it retains. */
    tellAgain({ takeBack }: { readonly takeBack: boolean }): void {
      told.clear()
      followAll()
      if (!takeBack) return
      for (const { name } of servers()) if (!told.has(name)) tell(name, null)
    },
    of(server: Server): IntervalFacts {
      const rule = ruleFor(store.rules(), server)
      return {
        seconds: Math.round(inForce(server)),
        from: intervalInForce(server, now()).from,
        own: server.inventory?.interval?.own ?? null,
        rule: rule ? { kind: rule.kind, target: rule.target, seconds: rule.seconds } : null,
      }
    },
  }
}
