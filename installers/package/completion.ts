import type { Command, Option } from 'commander'
import { commandTree, subcommandsOf } from './command-trees.ts'
import type { Product } from './target.ts'

/** What may follow the words of one command. */
type Node = {
  /** "model list"; empty for the program itself. */
  readonly path: string
  readonly words: readonly Word[]
  readonly takesFile: boolean
}

type Word = {
  readonly text: string
  readonly help: string
  /** The values that may follow an option; undefined when none may, empty when any file or text may. */
  readonly values?: readonly string[]
}

/** Every command of a product with what may follow it. */
export function completionNodes(product: Product): Node[] {
  const visit = (command: Command, path: string): Node[] => {
    const inner = subcommandsOf(command)
    const node = {
      path,
      words: [
        ...inner.map((one) => ({ text: one.name(), help: one.description() })),
        ...command
          .createHelp()
          .visibleOptions(command)
          .map((option) => toWord(option)),
      ],
      takesFile: command.registeredArguments.length > 0,
    }
    return [node, ...inner.flatMap((one) => visit(one, `${path} ${one.name()}`.trim()))]
  }
  return visit(commandTree(product.name), '')
}

const toWord = (option: Option): Word => ({
  text: option.long ?? option.short ?? option.flags,
  help: option.description,
  ...((option.required || option.optional) && { values: option.argChoices ?? [] }),
})

const functionOf = ({ command }: Product): string => `_${command.replaceAll('-', '_')}`

/** For bash: words by the command that was typed so far, files where a value or an argument is a file. */
export function bashCompletion(product: Product): string {
  const name = functionOf(product)
  const nodes = completionNodes(product)
  const groups = nodes.filter(({ words }) => words.some(({ text }) => !text.startsWith('-')))
  return `# bash completion of ${product.command}; made from its command line, do not edit
${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path" in
${groups
  .map(({ path, words }) => {
    const inner = words.filter(({ text }) => !text.startsWith('-')).map(({ text }) => text)
    return `      ${shell(path)}) case "\${COMP_WORDS[i]}" in ${inner.join('|')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;; esac ;;`
  })
  .join('\n')}
    esac
  done
  COMPREPLY=()
  case "$path $before" in
${nodes
  .flatMap(({ path, words }) =>
    words
      .filter(({ values }) => values !== undefined)
      .map(({ text, values }) =>
        values!.length > 0
          ? `    ${shell(`${path} ${text}`)}) mapfile -t COMPREPLY < <(compgen -W ${shell(values!.join(' '))} -- "$word"); return ;;`
          : `    ${shell(`${path} ${text}`)}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames 2>/dev/null; return ;;`,
      ),
  )
  .join('\n')}
  esac
  case "$path" in
${nodes
  .map(({ path, words, takesFile }) => {
    const list = words.map(({ text }) => text).join(' ')
    const files = takesFile ? ' -f' : ''
    const names = takesFile ? '; compopt -o filenames 2>/dev/null' : ''
    return `    ${shell(path)}) mapfile -t COMPREPLY < <(compgen${files} -W ${shell(list)} -- "$word")${names} ;;`
  })
  .join('\n')}
  esac
}
complete -F ${name} ${product.command}
`
}

/** For zsh: the same words with what they are for. */
export function zshCompletion(product: Product): string {
  const name = functionOf(product)
  const nodes = completionNodes(product)
  const groups = nodes.filter(({ words }) => words.some(({ text }) => !text.startsWith('-')))
  const described = ({ text, help }: Word): string => shell(`${text}:${help.replaceAll(':', ' ')}`)
  return `#compdef ${product.command}
# zsh completion of ${product.command}; made from its command line, do not edit
${name}() {
  local word path= before=\${words[CURRENT-1]}
  local -a commands options
  for word in \${words[2,CURRENT-1]}; do
    case "$path" in
${groups
  .map(({ path, words }) => {
    const inner = words.filter(({ text }) => !text.startsWith('-')).map(({ text }) => text)
    return `      ${shell(path)}) case $word in ${inner.join('|')}) path="\${path:+$path }$word" ;; esac ;;`
  })
  .join('\n')}
    esac
  done
  case "$path $before" in
${nodes
  .flatMap(({ path, words }) =>
    words
      .filter(({ values }) => values !== undefined)
      .map(({ text, values }) =>
        values!.length > 0
          ? `    ${shell(`${path} ${text}`)}) compadd -- ${values!.map(shell).join(' ')}; return ;;`
          : `    ${shell(`${path} ${text}`)}) _files; return ;;`,
      ),
  )
  .join('\n')}
  esac
  case "$path" in
${nodes
  .map(({ path, words, takesFile }) => {
    const isOption = ({ text }: Word): boolean => text.startsWith('-')
    const commands = words.filter((word) => !isOption(word)).map(described)
    const options = words.filter(isOption).map(described)
    return `    ${shell(path)}) commands=(${commands.join(' ')}); options=(${options.join(' ')})${takesFile ? '; _files' : ''} ;;`
  })
  .join('\n')}
  esac
  (( \${#commands} )) && _describe command commands
  _describe -o option options
}
${name} "$@"
`
}

/** As one word of a shell. */
const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
