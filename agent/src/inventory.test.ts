import { expect, test } from 'vitest'
import { parseCpuModel, parseOsName } from './inventory.ts'

test.each([
  [
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n',
    'Debian GNU/Linux 12 (bookworm)',
  ],
  ["ID=x\nPRETTY_NAME='Void'\n", 'Void'],
  ['PRETTY_NAME=Alpine\n', 'Alpine'],
  ['NAME=x\n', undefined],
])('reads the name of the system from %j', (osRelease, name) => {
  expect(parseOsName(osRelease)).toBe(name)
})

test.each([
  ['processor\t: 0\nmodel name\t: AMD EPYC\n', 'AMD EPYC'],
  ['processor\t: 0\nHardware\t: BCM2835\n', 'BCM2835'],
  ['processor\t: 0\n', undefined],
])('reads the model of the CPU from %j', (cpuinfo, model) => {
  expect(parseCpuModel(cpuinfo)).toBe(model)
})
