import { openMachine } from '../agent.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { AgentSample } from '../sample/sampler.ts'

/** Between the two readings a rate is made of. */
const gapMs = 1_000

/** One sample of this machine now. Its number is 0: it belongs to no sequence and is sent nowhere. */
export async function sampleNow(config: Config, clock: Clock, log: Log): Promise<AgentSample> {
  const { sampler } = await openMachine(config, clock, log)
  await sampler.takeSample(0)
  await new Promise<void>((resolve) => clock.after(gapMs, resolve))
  return sampler.takeSample(0)
}
