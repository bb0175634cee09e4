import { Argument, type Command, InvalidArgumentError } from 'commander'
import {
  defaultIntervalSeconds,
  isInterval,
  maxIntervalSeconds,
  minIntervalSeconds,
} from '@harbinger/shared/interval'
import { estimateText } from '@harbinger/shared/interval-words'
import {
  type IntervalEstimate,
  IntervalRuleRequest,
  type Intervals,
  maxIntervalRules,
  type RuleKind,
  type RuleTarget,
  ruleKinds,
} from '@harbinger/shared/intervals-api'
import { Compile } from 'typebox/compile'
import type { Clock } from '../clock.ts'
import { askHub, runningHub } from '../models/running-hub.ts'
import { openDatabase } from '../storage/database.ts'
import {
  type IntervalRuleStore,
  intervalRuleStore,
  type KeptRule,
  ruleKey,
} from '../storage/interval-rule-store.ts'
import { databaseFile } from '../storage/stores.ts'
import { byCommand } from './open-accounts.ts'
import { configOf, type DataOptions, type Note, noteOf, withData } from './token-command.ts'

const Rule = Compile(IntervalRuleRequest)

/** `harbinger interval`: works on the hub's database; a hub that runs sees it within a second and tells the agents. */
export function intervalCommand(program: Command, clock: Clock): void {
  const interval = program
    .command('interval')
    .description('at what interval servers sample: rules of a server, a tag or a profile')
  const add = (name: string, description: string): Command =>
    withData(interval.command(name).description(description))
  const kind = () => new Argument('<kind>', 'whom it is for').choices(ruleKinds)
  const target = () => new Argument('<target>', 'name of the server, the tag or the profile')
  const print = ({ json }: DataOptions, answer: unknown, text: string): void =>
    void process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${text}\n`)

  add('list', 'the rules there are, and with a running hub whom they decide').action(
    async (options: DataOptions) => {
      const hub = await runningHub(configOf(options).dataFolder)
      if (hub) {
        const found = await askHub<Intervals>(hub, '/intervals')
        return print(options, { rules: found.rules }, rulesText(found.rules))
      }
      const rules = withRules(options, (store) => [...store.rules().values()].map(toAnswer))
      print(options, { rules }, rulesText(rules))
    },
  )

  add(
    'set',
    `set an interval, ${minIntervalSeconds} to ${maxIntervalSeconds} s; agents follow at once`,
  )
    .addArgument(kind())
    .addArgument(target())
    .argument('<seconds>', 'between two samples', seconds)
    .option('--dry-run', 'say what it would do to servers and bytes a day, and leave it')
    .action(
      async (
        kind: RuleKind,
        target: string,
        seconds: number,
        options: DataOptions & { dryRun?: boolean },
      ) => {
        const asked = { kind, target, seconds }
        if (!Rule.Check(asked)) {
          throw new Error(`${kind} ${JSON.stringify(target)} is no name of a ${kind}`)
        }
        const what = await effect(options, asked)
        if (options.dryRun) return print(options, what, what.text)
        const rule = withRules(options, (store, note) => {
          const known = store.rules()
          if (!known.has(ruleKey(asked)) && known.size >= maxIntervalRules) {
            throw new Error(`there are ${maxIntervalRules} rules already: remove one first`)
          }
          store.put({ ...asked, setAt: clock.now(), setBy: byCommand().who })
          note(clock.now(), 'interval rule set', `${kind} ${target}: ${seconds} s`)
          return store.rules().get(ruleKey(asked))!
        })
        const text = `${kind} ${target}: ${seconds} s`
        print(options, { ...toAnswer(rule), estimate: what.estimate }, `${text}\n${what.text}`)
      },
    )

  add('remove', 'remove a rule; the next wider one decides, or the agent by itself')
    .addArgument(kind())
    .addArgument(target())
    .option('--dry-run', 'say what it would do to servers and bytes a day, and leave it')
    .action(async (kind: RuleKind, target: string, options: DataOptions & { dryRun?: boolean }) => {
      const what = await effect(options, { kind, target })
      if (options.dryRun) return print(options, what, what.text)
      const removed = withRules(options, (store, note) => {
        const removed = store.remove({ kind, target })
        if (removed) note(clock.now(), 'interval rule removed', `${kind} ${target}`)
        return removed
      })
      if (!removed) {
        throw new Error(
          `there is no rule for ${kind} ${target}; harbinger interval list shows them`,
        )
      }
      const answer = { kind, target, estimate: what.estimate }
      print(options, answer, `the rule for ${kind} ${target} is removed\n${what.text}`)
    })

  /** What a change does, as a running hub has measured it. */
  async function effect(options: DataOptions, change: RuleTarget & { seconds?: number }) {
    const hub = await runningHub(configOf(options).dataFolder)
    if (!hub) {
      const text = 'the hub does not run: whom it concerns and bytes a day are unknown'
      return { estimate: null, text }
    }
    const { kind, target, seconds } = change
    const query = new URLSearchParams({ kind, target })
    if (seconds !== undefined) query.set('seconds', String(seconds))
    const estimate = await askHub<IntervalEstimate>(hub, `/intervals/estimate?${query}`)
    const counted = estimate.bytesPerDay ? `\n(${estimate.included})` : ''
    return { estimate, text: `${estimateText(kind, estimate)}${counted}` }
  }
}

function withRules<Answer>(
  options: DataOptions,
  work: (store: IntervalRuleStore, note: Note) => Answer,
): Answer {
  const db = openDatabase(databaseFile(configOf(options).dataFolder))
  try {
    return work(intervalRuleStore(db), noteOf(db))
  } finally {
    db.close()
  }
}

function seconds(text: string): number {
  if (/^\d{1,3}$/.test(text) && isInterval(Number(text))) return Number(text)
  throw new InvalidArgumentError(
    `expected a whole number of seconds from ${minIntervalSeconds} to ${maxIntervalSeconds}`,
  )
}

const toAnswer = ({ kind, target, seconds, setAt, setBy }: KeptRule) => ({
  ...{ kind, target, seconds, setAt: new Date(setAt).toISOString(), setBy },
})

type Listed = ReturnType<typeof toAnswer> & { readonly decides?: number; readonly servers?: number }

function rulesText(rules: readonly Listed[]): string {
  if (rules.length === 0) {
    return `there is no rule: each agent samples as its own configuration says, every ${defaultIntervalSeconds} s unless it was changed`
  }
  return rules
    .map(({ kind, target, seconds, decides, servers, setAt, setBy }) => {
      const whom = decides === undefined ? '' : `  decides ${decides} of ${servers} servers`
      return `${kind} ${target}  ${seconds} s${whom}  since ${setAt} by ${setBy}`
    })
    .join('\n')
}
