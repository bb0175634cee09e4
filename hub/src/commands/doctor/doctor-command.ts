import type { Command } from 'commander'
import { findingsText, isWell } from '@harbinger/shared/findings'
import type { Clock } from '../../clock.ts'
import { examine } from './examine.ts'

type Options = {
  readonly config?: string
  readonly data?: string
  readonly full?: boolean
  readonly json?: boolean
}

/** `harbinger doctor` */
export function doctorCommand(program: Command, clock: Clock): void {
  program
    .command('doctor')
    .description('find what keeps the hub from its work, and say what to do; disturbs nothing')
    .option('--config <file>', 'configuration of the hub')
    .option('--data <folder>', 'data folder of the hub (.harbinger/data)')
    .option('--full', 'take the time to look at the whole database and to wait for slow devices')
    .option('--json', 'as JSON')
    .action(async (options: Options) => {
      const findings = await examine(options, clock.now())
      if (options.json) process.stdout.write(`${JSON.stringify(findings)}\n`)
      else process.stdout.write(`${findingsText(findings)}\n`)
      const wrong = findings.filter(({ level }) => level === 'failed')
      if (!isWell(findings)) throw new Error(`${wrong.length} of ${findings.length} checks failed`)
    })
}
