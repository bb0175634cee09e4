import type { ServerSummary } from '@harbinger/shared/api'
import { severityOf } from '@harbinger/shared/severity'
import { percent, reading, risk } from '../../words/numbers.ts'
import { severityWord } from '../../words/severity-words.ts'

/** What the map is coloured by. A cell says its value in text too. */
export type MapColour = {
  readonly key: string
  readonly label: string
  readonly value: (row: ServerSummary) => number | null
  /** For the accessible name and the hint. */
  readonly words: (value: number | null) => string
  /** For the cell, where there is room for three characters. */
  readonly short: (value: number) => string
  /** Lower edges of steps 1 to 5 for a quantity without a verdict; absent where severity colours. */
  readonly steps?: readonly number[]
  readonly unit: string
}

const whole = (value: number) => String(Math.round(value))
const one = (value: number) => (value < 9.95 ? value.toFixed(1) : whole(value))
const now = (row: ServerSummary, metric: keyof ServerSummary['metrics']) =>
  row.metrics[metric]?.now ?? null

export const mapColours: readonly MapColour[] = [
  {
    key: 'risk',
    label: 'Risk',
    value: (row) => row.risk,
    words: (value) => `risk ${risk(value)}`,
    short: whole,
    unit: '',
  },
  {
    key: 'predicted',
    label: 'Predicted risk',
    value: (row) => row.riskPredicted,
    words: (value) =>
      value === null
        ? 'predicted risk unknown'
        : `predicted risk ${risk(value)}, ${severityWord(severityOf(value))}`,
    short: whole,
    unit: '',
  },
  {
    key: 'cpu',
    label: 'CPU used',
    value: (row) => row.cpuUsed,
    words: (value) => `CPU used ${percent(value)}`,
    short: whole,
    steps: [20, 40, 60, 80, 95],
    unit: ' %',
  },
  {
    key: 'iowait',
    label: 'I/O wait',
    value: (row) => now(row, 'cpu_iowait_pct'),
    words: (value) => `I/O wait ${percent(value)}`,
    short: one,
    steps: [2, 5, 10, 20, 40],
    unit: ' %',
  },
  {
    key: 'memory',
    label: 'Memory',
    value: (row) => now(row, 'mem_used_pct'),
    words: (value) => `memory ${percent(value)}`,
    short: whole,
    steps: [40, 60, 80, 90, 95],
    unit: ' %',
  },
  {
    key: 'load',
    label: 'Load per core',
    value: (row) => {
      const load = now(row, 'load_average')
      return load === null || !row.cores ? null : load / row.cores
    },
    words: (value) => `load per core ${reading(value, 'load')}`,
    short: one,
    steps: [0.3, 0.7, 1, 2, 3],
    unit: '',
  },
]

export const mapColourOf = (key: string | null): MapColour =>
  mapColours.find((colour) => colour.key === key) ?? mapColours[0]!

export const stepOf = (steps: readonly number[], value: number): number =>
  steps.filter((from) => value >= from).length

/** The class that colours a cell. */
export function toneOf(colour: MapColour, row: ServerSummary): string {
  if (colour.key === 'risk') return `sev-${row.severity}`
  const value = colour.value(row)
  if (value === null) return 'sev-unknown'
  return colour.steps ? `step-${stepOf(colour.steps, value)}` : `sev-${severityOf(value)}`
}

/** "20 to 40 %" and so on, for the legend. */
export function stepWords({ steps = [], unit }: MapColour, step: number): string {
  if (step === 0) return `under ${steps[0]}${unit}`
  if (step === steps.length) return `${steps.at(-1)}${unit} and more`
  return `${steps[step - 1]} to ${steps[step]}${unit}`
}
