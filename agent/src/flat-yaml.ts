/** Letters, digits and what addresses and paths are made of: nothing that means something else in YAML. */
const word = '[A-Za-z/][\\w./@-]*(?::[\\w./@-]+)*'
const setting = new RegExp(
  `^([A-Za-z]\\w*): +(?:(0|[1-9]\\d{0,14})|(${word})|\\[ *(${word}(?: *, *${word})*) *\\]) *(?: #.*)?$`,
)
const nothing = /^ *(?:#.*)?$/
/** Words that YAML 1.2 reads as something other than text. */
const special = /^(?:true|false|null)$/i

/**
 * Reads YAML of one setting a line, `key: value`, where values are plain words, whole numbers or lists of words in
 * brackets: what agents are configured with. Undefined for anything else, which a YAML parser then has to read; where it
 * is defined, a parser reads the same. It is there because the parser takes 1.3 MB for as long as an agent runs.
 */
export function readFlatYaml(content: string): Readonly<Record<string, unknown>> | undefined {
  const values: Record<string, unknown> = {}
  for (const line of content.split(/\r?\n/)) {
    if (nothing.test(line)) continue
    const [, key, number, text, list] = setting.exec(line) ?? []
    if (key === undefined || Object.hasOwn(values, key) || special.test(key)) return undefined
    const words = text === undefined ? (list?.split(/ *, */) ?? []) : [text]
    if (words.some((each) => special.test(each))) return undefined
    values[key] = number === undefined ? (text ?? words) : Number(number)
  }
  return values
}
