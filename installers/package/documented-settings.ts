import { noHub, settings as agentSettings } from '../../agent/src/config.ts'
import { settings as hubSettings } from '../../hub/src/settings.ts'
import { settingsHelp as hubHelp } from '../../hub/src/settings-help.ts'
import type { ProductName } from './target.ts'

/** One setting as its configuration file and man page show it. */
export type DocumentedSetting = {
  readonly key: string
  readonly env: string
  readonly unit: string
  readonly help: string
  /** As YAML; empty when there is none. */
  readonly default: string
  /** What an installed product uses instead; written into its file. */
  readonly installed?: string
}

/** What is installed is for a network: encrypted, both sides verified; an agent waits until it is told whom to trust (ADR 23). */
const installedValues: { readonly [product in ProductName]: { readonly [key: string]: string } } = {
  'harbinger-agent': {
    hub: noHub,
    stateDirectory: '/var/lib/harbinger/agent',
    statusDirectory: '/run/harbinger-agent',
  },
  'harbinger-hub': {
    'http.host': '0.0.0.0',
    'http.port': '8443',
    'mqtt.host': '0.0.0.0',
    'mqtt.port': '8883',
    'tls.mode': 'on',
    'data.folder': '/var/lib/harbinger/hub',
  },
}

/** The settings of a product, read from the code that reads them. */
export function documentedSettings(product: ProductName): DocumentedSetting[] {
  const all = product === 'harbinger-agent' ? agent() : hub()
  return all.map((setting) => {
    const installed = installedValues[product][setting.key]
    return installed === undefined ? setting : { ...setting, installed }
  })
}

const agent = (): DocumentedSetting[] =>
  Object.entries(agentSettings).map(([key, { env, unit = '', help, fallback }]) => ({
    ...{ key, env, unit, help },
    // The name of the building machine is nobody's default.
    default: key === 'server' ? '' : toYaml(fallback()),
  }))

const hub = (): DocumentedSetting[] =>
  Object.entries(hubSettings).map(([key, { env, unit, expects, default: value }]) => ({
    ...{ key, env, unit, default: toYaml(value) },
    help: helpOf(key as keyof typeof hubSettings, expects),
  }))

/** With the words there are to choose from, where there are some: "auto or manual". */
function helpOf(key: keyof typeof hubSettings, expects: string): string {
  const help = hubHelp[key]
  if (help === undefined) return expects
  return /^\w+(, \w+)* or \w+$/.test(expects) ? `${help}: ${expects}` : help
}

const toYaml = (value: unknown): string =>
  value === undefined || value === ''
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)

const opening = {
  'harbinger-agent': [
    '# Settings of the Harbinger agent; see harbinger-agent.yaml(5). A line that begins with # shows a default.',
    '# After a change: systemctl restart harbinger-agent',
  ],
  'harbinger-hub': [
    '# Settings of the Harbinger hub; see harbinger-hub.yaml(5). A line that begins with # shows a default.',
    '# After a change: systemctl restart harbinger-hub',
  ],
} as const

/**
 * The configuration file of a fresh installation: every setting with its default as a comment, and in force what is
 * other than that where it is installed. It holds no version, so that an upgrade asks about it only when the settings changed.
 */
export const configFile = (product: ProductName): string =>
  [
    ...opening[product],
    ...documentedSettings(product).flatMap(
      ({ key, env, unit, help, default: value, installed }) => [
        '',
        ...wrapped(`${help} (${[unit, env].filter(Boolean).join('; ')})`).map(
          (line) => `# ${line}`,
        ),
        installed === undefined ? `#${key}:${value && ` ${value}`}` : `${key}: ${installed}`,
      ],
    ),
    ...(product === 'harbinger-hub' ? rulesExample : []),
    '',
  ].join('\n')

const rulesExample = [
  '',
  '# what servers are for, by their names: the first pattern that matches decides; an agent that says its profile wins',
  '#profiles.rules:',
  '#  - { pattern: "^db", profile: database }',
]

/** Words in lines of at most 110 characters. */
export function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 110) lines[lines.length - 1] += ` ${word}`
    else lines.push(word)
  }
  return lines
}
