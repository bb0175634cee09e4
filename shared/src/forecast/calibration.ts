import { type Static, Type } from 'typebox'
import { networkMetricNames } from '../metrics.ts'
import { type ContenderName, contenderNames } from '../model.ts'
import { type Profile, profileId, profiles } from '../profiles.ts'
import { leadBucket } from './baseline-widths.ts'
import { peakMinutes, Q } from './quantiles.ts'

/** Of a forecast's source. Undefined: what is made of less than a day of history is not calibrated. */
export function contenderOf(source: string): ContenderName | undefined {
  if (source.startsWith('model:')) return 'model'
  return contenderNames.find((name) => source === `baseline:${name}`)
}

/** What a number is a forecast of: the mean of a step, or the worst reading within 1, 4 or 8 hours. */
export const targets = ['step', 'peak'] as const
export type Target = (typeof targets)[number]

/** Horizon buckets of steps: 0–1 h, 1–4 h, 4–8 h; of peaks each of 1, 4 and 8 h is one. */
export const calibrationBuckets = peakMinutes.length

/** Cells with fewer measured points borrow from the next larger group. */
export const fewestPoints = 200

const Shift = Type.Number({ minimum: -20, maximum: 20 })

const ProfileGroup = Type.Union([Type.Enum(profiles), Type.Literal('unknown'), Type.Null()])

/** How far each quantile is moved, in units of the forecast's own band: see calibrate.ts. */
const CellSchema = Type.Object({
  contender: Type.Enum(contenderNames),
  /** Null: pooled over profiles. `unknown` is a server of which the profile is not known. */
  profile: ProfileGroup,
  /** Null: pooled over metrics. */
  metric: Type.Union([Type.Enum(networkMetricNames), Type.Null()]),
  target: Type.Enum(targets),
  bucket: Type.Integer({ minimum: 0, maximum: calibrationBuckets - 1 }),
  /** Measured points that it was fitted on. */
  points: Type.Integer({ minimum: 0 }),
  shift: Type.Array(Shift, { minItems: Q, maxItems: Q }),
})
export type CalibrationCell = Static<typeof CellSchema>

/** calibration.json of a model folder: what a forecast's quantiles are corrected by. */
export const CalibrationSchema = Type.Object({
  version: Type.Literal(1),
  fittedOn: Type.Array(
    Type.Object({
      name: Type.String(),
      from: Type.String({ format: 'date-time' }),
      to: Type.String({ format: 'date-time' }),
      simulated: Type.Boolean(),
    }),
  ),
  cells: Type.Array(CellSchema, { maxItems: 6000 }),
})
export type Calibration = Static<typeof CalibrationSchema>

/** Corrects nothing: of a hub without a model, and of a model nobody could fit one for. */
export const noCalibration: Calibration = { version: 1, fittedOn: [], cells: [] }

/** One number of a forecast, as calibration tells them apart. */
export type Place = {
  readonly contender: ContenderName
  readonly profile: Profile | null | undefined
  /** Place in networkMetricNames. */
  readonly v: number
}

const V = networkMetricNames.length
const profileIds = profiles.length + 1

/** How many cells there are when none is pooled. */
export const cellCount =
  contenderNames.length * profileIds * V * targets.length * calibrationBuckets

/** The place of a cell among all of them. */
export function cellIndex(
  { contender, profile, v }: Place,
  target: Target,
  bucket: number,
): number {
  const group = (contenderNames.indexOf(contender) * profileIds + profileId(profile)) * V + v
  return (group * targets.length + targets.indexOf(target)) * calibrationBuckets + bucket
}

export const bucketOfStep = (step: number): number => leadBucket(step)
