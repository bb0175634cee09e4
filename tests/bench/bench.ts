/**
 * `npm run bench -- NAME [--json] [--small] [--record]`, NAME one of accuracy, calibration, cycle, devices, incidents, profiles, questions, ingest, kills, agent, reconnect, train, or all of them
 * without a name. agent takes `--hour`: a whole hour under load, with the slope of memory. Prints one JSON object per bar. `--small` is for checking that a bench works; its figures mean
 * nothing and cannot be recorded. `--record` keeps the figures in docs/benchmarks.json and writes docs/benchmarks.md.
 * accuracy takes `--history FILE`, `--from INSTANT` in it, `--model FOLDER` (again for each further seed) and `--zero-shot FOLDER`; calibration takes history and model; cycle
 * takes `--servers N` instead of 1,000 and 90, `--device` and `--prepared FOLDER` (see prepare-history.ts); devices `--no-cycle`; profiles
 * takes `--model` and `--without-profiles` (again for each seed), or `--steps` and `--seeds` of what it trains itself.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchAgent } from '../../agent/src/bench.ts'
import type { Device } from '../../model-training/src/onnx/device.ts'
import { benchCycle } from '../../hub/src/bench/cycle-bench.ts'
import { benchDevices } from '../../hub/src/bench/devices-bench.ts'
import { benchIngest } from '../../hub/src/bench/ingest-bench.ts'
import { openBenchHub } from '../../hub/src/bench/open-bench-hub.ts'
import { benchQuestions } from '../../hub/src/bench/questions-bench.ts'
import { benchAccuracy } from '../../model-training/src/bench/accuracy-bench.ts'
import { benchCalibration } from '../../model-training/src/bench/calibration-bench.ts'
import { benchIncidents } from '../../model-training/src/bench/incidents-bench.ts'
import { benchProfiles } from '../../model-training/src/bench/profiles-bench.ts'
import { benchTrain } from '../../model-training/src/bench/train-bench.ts'
import { type Figure, toPage } from './figures.ts'
import { openSecureHub } from '../enrolment/secure-hub.ts'
import { benchKills } from './kills-bench.ts'
import { benchReconnect } from './reconnect-bench.ts'

const clock = (): number => performance.now()
const at = new Date().toISOString()

type Bench = (small: boolean) => Promise<readonly Figure[]>

const benches: { readonly [name: string]: Bench } = {
  accuracy: (small) =>
    benchAccuracy({
      ...{ small, clock, at, history: values.history, models: values.model },
      from: instantOf(values.from),
      zeroShot: values['zero-shot'],
      warn: (sentence) => void process.stderr.write(`${sentence}\n`),
    }),
  agent: async (small) => {
    const { hub, close } = await openBenchHub({ now: Date.now })
    try {
      return await benchAgent({
        small,
        hour: values.hour,
        hubUrl: `mqtt://127.0.0.1:${hub.mqttPort}`,
        join: joinedAgent,
      })
    } finally {
      await close()
    }
  },
  calibration: (small) =>
    benchCalibration({
      ...{ small, at, history: values.history, model: values.model?.[0] },
      warn: (sentence) => void process.stderr.write(`${sentence}\n`),
    }),
  cycle: async (small) =>
    small
      ? benchCycle({ small })
      : // The large one first: its memory is measured, and no smaller one's is to be in it.
        [
          ...(await benchCycle({
            ...{ servers: countOf(values.servers) ?? 1000, prepared: values.prepared },
            device: values.device as Device | undefined,
          })),
          ...(values.servers === undefined
            ? await benchCycle({ servers: 90, measuresMemory: false })
            : []),
        ],
  devices: (small) => benchDevices({ small, cycle: !values['no-cycle'] }),
  incidents: (small) => benchIncidents({ small, clock, at }),
  ingest: async (small) => [await benchIngest({ small })],
  kills: (small) => benchKills({ small, at }),
  profiles: (small) =>
    benchProfiles({
      ...{ small, clock, at, models: values.model, withoutProfiles: values['without-profiles'] },
      ...{ steps: countOf(values.steps), seeds: countOf(values.seeds) },
    }),
  questions: async (small) =>
    small
      ? benchQuestions({ small })
      : [
          ...(await benchQuestions({ servers: countOf(values.servers) ?? 1000 })),
          ...(values.servers === undefined ? await benchQuestions({ servers: 90 }) : []),
        ],
  reconnect: (small) => benchReconnect({ small, at }),
  train: (small) =>
    benchTrain({ steps: small ? 3 : 60, python: process.env.HARBINGER_PYTHON, clock, at }),
}

/** A hub with TLS in a process of its own, and an agent that has joined it. */
async function joinedAgent() {
  const hub = await openSecureHub()
  const server = 'agent-bench'
  const { code, stderr } = await hub.join(server, (await hub.token()).line)
  if (code !== 0) {
    await hub.close()
    throw new Error(`the agent of the bench could not join: ${stderr}`)
  }
  return { configFile: hub.configFile(server), close: hub.close }
}

const countOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

function instantOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new Error(`--from: "${text}" is no instant like 2025-01-31T00:00:00Z`)
  return at
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    servers: { type: 'string' },
    device: { type: 'string' },
    prepared: { type: 'string' },
    'no-cycle': { type: 'boolean', default: false },
    hour: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    history: { type: 'string' },
    model: { type: 'string', multiple: true },
    'zero-shot': { type: 'string' },
    from: { type: 'string' },
    'without-profiles': { type: 'string', multiple: true },
    steps: { type: 'string' },
    seeds: { type: 'string' },
  },
})
const unknown = positionals.find((name) => !Object.hasOwn(benches, name))
if (unknown !== undefined || (values.small && values.record)) {
  process.stderr.write(
    unknown === undefined
      ? '--small figures are not recorded\n'
      : `there is no bench ${unknown}; there are ${Object.keys(benches).join(', ')}\n`,
  )
  process.exit(1)
}

// Each in a process of its own, so that none carries the memory of the one before.
const names = positionals.length > 0 ? positionals : Object.keys(benches)
if (names.length > 1) {
  for (const name of names) {
    const rest = process.argv.slice(2).filter((word) => !positionals.includes(word))
    const { status } = spawnSync(process.execPath, [process.argv[1]!, name, ...rest], {
      stdio: 'inherit',
    })
    if (status !== 0) process.exit(status ?? 1)
  }
  process.exit(0)
}

const made: { [bench: string]: readonly Figure[] } = {}
for (const name of names) {
  made[name] = await benches[name]!(values.small)
  for (const figure of made[name]) {
    process.stdout.write(`${JSON.stringify(figure, null, values.json ? 0 : 2)}\n`)
  }
}

if (values.record) {
  const kept = 'docs/benchmarks.json'
  const before = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as typeof made) : {}
  // What measures something else than the default is a section of its own; files that were given are among its conditions.
  const said = (['servers', 'device', 'hour', 'steps', 'seeds', 'from'] as const).flatMap(
    (option) => {
      const value = values[option]
      return value === undefined || value === false
        ? []
        : [`--${option}${value === true ? '' : ` ${value}`}`]
    },
  )
  const named = Object.entries(made).map(([name, figures]) => [[name, ...said].join(' '), figures])
  const all = { ...before, ...(Object.fromEntries(named) as typeof made) }
  writeFileSync(kept, `${JSON.stringify(all, null, 2)}\n`)
  writeFileSync('docs/benchmarks.md', `${toPage(all)}\n`)
}
process.exit(0)
