import type { Command } from 'commander'
import { commandTree, subcommandsOf } from './command-trees.ts'
import { documentedSettings } from './documented-settings.ts'
import { type Product, programFolder } from './target.ts'

type Page = { readonly name: string; readonly section: 1 | 5; readonly text: string }

/** The manual of a product: its command, and its configuration file. */
export function manPages(product: Product, version: string, at: Date): Page[] {
  const day = at.toISOString().slice(0, 10)
  return [
    { name: product.command, section: 1, text: commandPage(product, version, day) },
    { name: `${product.name}.yaml`, section: 5, text: filePage(product, version, day) },
  ]
}

function commandPage(product: Product, version: string, day: string): string {
  const program = commandTree(product.name)
  const { command, summary, configFile, stateFolder, name } = product
  return lines(
    heading(command, 1, { version, day, name }),
    section('NAME', `${text(command)} \\- ${text(summary)}`),
    section('SYNOPSIS', `.B ${text(command)}\n.I command\n[\\fIoptions\\fR]`),
    section('DESCRIPTION', text(product.description)),
    section(
      'COMMANDS',
      subcommandsOf(program)
        .map((inner) => describe(inner, command))
        .join('\n'),
    ),
    section(
      'FILES',
      lines(
        item(configFile, `the settings, see ${name}.yaml(5)`),
        item(stateFolder, 'what the service keeps'),
        item(programFolder(product), 'the program and the Node.js it runs on'),
      ),
    ),
    section(
      'NOTES',
      text(
        `Called by root, ${command} goes on as the user ${product.user}, so that what it writes belongs to the service.`,
      ),
    ),
    section('EXIT STATUS', '0 on success, else 1 or higher, with a sentence on standard error.'),
    section('SEE ALSO', `.BR ${text(`${name}.yaml`)} (5),\n.BR systemctl (1),\n.BR journalctl (1)`),
  )
}

/** A command, and those under it. */
function describe(command: Command, parent: string): string {
  const path = `${parent} ${command.name()}`
  const inner = subcommandsOf(command)
  const words = command.registeredArguments.map((word) => {
    const name = `${word.name()}${word.variadic ? '...' : ''}`
    return word.required ? name.toUpperCase() : `[${name.toUpperCase()}]`
  })
  if (inner.length > 0) return inner.map((one) => describe(one, path)).join('\n')
  return lines(
    `.SS ${quoted([path, ...words].join(' '))}`,
    text(`${capital(command.description())}.`),
    ...command
      .createHelp()
      .visibleOptions(command)
      .map(({ flags, description }) => item(flags, description)),
  )
}

function filePage(product: Product, version: string, day: string): string {
  const name = `${product.name}.yaml`
  return lines(
    heading(name, 5, { version, day, name: product.name }),
    section('NAME', `${text(name)} \\- settings of ${text(product.name)}`),
    section('SYNOPSIS', `.I ${text(product.configFile)}`),
    section(
      'DESCRIPTION',
      lines(
        text(
          'YAML, one setting a line. A variable of the environment wins over the file, the file over the default. All mistakes ' +
            `are named at once when the service starts. After a change: systemctl restart ${product.name}`,
        ),
      ),
    ),
    section(
      'SETTINGS',
      lines(
        ...documentedSettings(product.name).map(
          ({ key, env, unit, help, default: value, installed }) =>
            item(
              key,
              `${capital(help)}. Default: ${value || 'none'}${unit && ` ${unit}`}${installed ? `; as installed: ${installed}` : ''}. ` +
                `Environment: ${env}.`,
            ),
        ),
      ),
    ),
    section('SEE ALSO', `.BR ${text(product.command)} (1)`),
  )
}

type Heading = { readonly version: string; readonly day: string; readonly name: string }

const heading = (title: string, number: number, { version, day, name }: Heading): string =>
  `.TH ${quoted(title.toUpperCase())} ${number} ${day} ${quoted(`${name} ${version}`)} Harbinger`

const section = (title: string, body: string): string => `.SH ${title}\n${body}`

const item = (term: string, body: string): string => `.TP\n.B ${text(term)}\n${text(body)}`

const lines = (...parts: readonly string[]): string => `${parts.join('\n').trimEnd()}\n`

const capital = (sentence: string): string => sentence.slice(0, 1).toUpperCase() + sentence.slice(1)

/** roff's own characters, see groff_char(7); a line must not begin with a control character. */
const text = (plain: string): string =>
  plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('→', '->')
    .replace(/^([.'])/gm, '\\&$1')

const quoted = (plain: string): string => `"${text(plain).replaceAll('"', '\\(dq')}"`
