import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Names of one processor: Debian's (the key), Node's, RPM's, and the number in an ELF header. */
export const architectures = {
  amd64: { node: 'x64', rpm: 'x86_64', elfMachine: 62 },
  arm64: { node: 'arm64', rpm: 'aarch64', elfMachine: 183 },
} as const

export type Architecture = keyof typeof architectures

export const productNames = ['harbinger-agent', 'harbinger-hub'] as const

export type ProductName = (typeof productNames)[number]

/** What a package is called, holds and becomes on the machine it is installed on. */
export type Product = {
  readonly name: ProductName
  /** The command in /usr/bin. */
  readonly command: string
  readonly summary: string
  readonly description: string
  /** The system user the service runs as. */
  readonly user: string
  readonly stateFolder: string
  readonly configFile: string
  readonly configMode: number
  /** Oldest C library that the programs inside run with. */
  readonly glibc: string
  readonly maxMegabytes: number
}

export const products: { readonly [name in ProductName]: Product } = {
  'harbinger-agent': {
    name: 'harbinger-agent',
    command: 'harbinger-agent',
    summary: 'sends how this server is doing to a Harbinger hub',
    description:
      'Samples 14 metrics of this server from /proc every ten seconds, without root and without child processes, and sends ' +
      'them to the hub, which forecasts them. Brings the Node.js it runs on.',
    user: 'harbinger-agent',
    stateFolder: '/var/lib/harbinger/agent',
    configFile: '/etc/harbinger/agent.yaml',
    configMode: 0o644,
    glibc: '2.28',
    maxMegabytes: 35,
  },
  'harbinger-hub': {
    name: 'harbinger-hub',
    command: 'harbinger',
    summary: 'forecasts a fleet of servers and shows which will be in trouble',
    description:
      'Stores what the agents send, forecasts every server of the fleet for the next hours, and serves the fleet view. ' +
      'Brings the Node.js it runs on, the network and a base model.',
    user: 'harbinger',
    stateFolder: '/var/lib/harbinger/hub',
    configFile: '/etc/harbinger/hub.yaml',
    // It may come to hold passwords of mail servers and the like.
    configMode: 0o640,
    glibc: '2.34',
    maxMegabytes: 90,
  },
}

/** One package to be built. */
export type Target = {
  readonly product: Product
  readonly arch: Architecture
  readonly version: string
  /** Seconds since the epoch: the time of everything inside, so that two builds are the same bytes. */
  readonly sourceDate: number
  /** xz, 0 to 9; a .deb at 0 is not compressed at all. */
  readonly compression: number
}

/** Where a package keeps its programs. */
export const programFolder = ({ name }: Product): string => `/usr/lib/${name}`

/** What a Debian package makes the configuration file of; an RPM carries the file itself. */
export const settingsTemplate = ({ name, configFile }: Product): string =>
  `/usr/share/${name}/${configFile.slice(configFile.lastIndexOf('/') + 1)}`
