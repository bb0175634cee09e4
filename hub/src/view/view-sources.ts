import type { Accuracy } from '@harbinger/shared/accuracy'
import type {
  Fleet,
  Forecast,
  Health,
  RetiredServer,
  RetiredServers,
  Samples,
  Scenario,
  ServerDetail,
  ServerSummary,
} from '@harbinger/shared/api'
import type {
  AgentIdentities,
  AgentIdentity,
  Checked,
  CheckRequest,
  Enrolled,
  EnrolmentToken,
  EnrolmentTokens,
  EnrolRequest,
  MadeToken,
  RenewRequest,
  TokenRequest,
} from '@harbinger/shared/enrolment-api'
import type { Explanation, WhatIf, WhatIfRequest } from '@harbinger/shared/explanation'
import type {
  IntervalEstimate,
  IntervalRule,
  IntervalRuleRequest,
  Intervals,
  RuleChange,
  RuleTarget,
} from '@harbinger/shared/intervals-api'
import type { MetricName } from '@harbinger/shared/metrics'
import type { People } from '../people/people.ts'
import type { ModelCard, Models, Training, Trainings } from '@harbinger/shared/models-api'

export type FleetChange = {
  readonly servers: readonly ServerSummary[]
  readonly removed: readonly string[]
  readonly fleet: Fleet
}

type ModelChange =
  | { readonly id: string; readonly reason: string }
  /** Why nothing was changed. */
  | { readonly refused: string }

/** Models and trainings. */
export type ModelSources = {
  readonly models: () => Models
  readonly model: (id: string) => ModelCard | undefined
  /** `force` says why a model is to serve although conditions do not hold. */
  readonly promote: (id: string, force?: string) => Promise<ModelChange>
  readonly rollback: (reason: string) => Promise<ModelChange>
  readonly trainings: () => Trainings
  readonly training: (id: number) => Training | undefined
  readonly train: (asked: {
    readonly from?: string
    readonly minutes?: number
    readonly steps?: number
    readonly seed?: number
    readonly detail?: string
  }) => Training | { readonly refused: string }
  readonly cancelTraining: (id: number) => Training | undefined
}

/** `status` is the HTTP status of the refusal. */
export type EnrolmentRefused = {
  readonly status: number
  readonly refused: string
  readonly retrySeconds?: number
}

/** Tokens, and the agents that have a certificate. `address` is where a request comes from. */
export type EnrolmentSources = {
  readonly enrol: (asked: EnrolRequest, address: string) => Promise<Enrolled | EnrolmentRefused>
  readonly renewAgent: (
    asked: RenewRequest,
    address: string,
  ) => Promise<Enrolled | EnrolmentRefused>
  readonly checkAgent: (asked: CheckRequest, address: string) => Checked | EnrolmentRefused
  readonly tokens: () => EnrolmentTokens
  readonly createToken: (asked: TokenRequest) => MadeToken | { readonly refused: string }
  readonly revokeToken: (id: string) => EnrolmentToken | undefined
  readonly agents: () => AgentIdentities
  readonly revokeAgent: (server: string) => AgentIdentity | undefined
  readonly allowRejoin: (server: string) => AgentIdentity | undefined
}

/** Servers that leave the fleet, and come back. */
export type RetirementSources = {
  readonly retire: (
    name: string,
    asked: { readonly by: string; readonly reason?: string | undefined },
  ) => RetiredServer | { readonly refused: string } | undefined
  readonly bringBack: (name: string) => { readonly name: string } | undefined
  readonly retired: () => RetiredServers
}

/** At what interval servers sample. */
export type IntervalSources = {
  readonly intervals: () => Intervals
  /** What a rule, or without `seconds` its removal, would do. */
  readonly estimateInterval: (change: RuleChange) => IntervalEstimate
  readonly setInterval: (
    asked: IntervalRuleRequest,
    by: string,
  ) => IntervalRule | { readonly refused: string }
  /** Undefined when there is no such rule. */
  readonly removeInterval: (target: RuleTarget) => RuleTarget | undefined
}

/** What the view may ask of the hub; names are matched without regard to case, undefined is "no such server". */
export type ViewSources = ModelSources &
  EnrolmentSources &
  RetirementSources &
  IntervalSources & {
    readonly now: () => number
    /** Who may ask for what. */
    readonly people: People
    readonly health: () => Health
    readonly accuracy: () => Accuracy
    readonly fleet: () => Fleet
    /** The current row of every server; cheap, rebuilt only when something changed. */
    readonly servers: () => readonly ServerSummary[]
    readonly server: (name: string) => ServerDetail | undefined
    readonly samples: (
      name: string,
      range: { readonly from: number; readonly to: number; readonly stepSeconds?: number },
    ) => Samples | undefined
    readonly forecast: (name: string) => Forecast | undefined
    /** Makes the forecast of a server anew, before the next cycle does; settles when `forecast` answers with it. */
    readonly forecastNow: (name: string) => Promise<void>
    /** Why a server is forecast as it is; of the metric asked for, else of the most pressing. */
    readonly explanation: (name: string, metric?: MetricName) => Promise<Explanation | undefined>
    /** A refusal says in words what is wrong with the question, or with the server. */
    readonly whatIf: (
      name: string,
      request: WhatIfRequest,
    ) => Promise<
      WhatIf | { readonly refused: string; readonly kind: 'invalid' | 'conflict' } | undefined
    >
    /** Undefined when no demo fleet runs. */
    readonly setScenario: ((scenario: Scenario) => Promise<void>) | undefined
    /** Calls back after every change, at most once a second; returns how to stop. */
    readonly onChange: (listener: (change: FleetChange) => void) => () => void
  }
