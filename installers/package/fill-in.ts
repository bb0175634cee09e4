import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A text of this folder with its @PLACEHOLDERS@ filled in; throws when one is left. */
export function fillIn(file: string, values: { readonly [name: string]: string }): string {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8')
  return text.replaceAll(/@([A-Z_]+)@/g, (placeholder, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${file}: nothing to put in for ${placeholder}`)
    return value
  })
}
