/** The text exposition format of Prometheus, version 0.0.4. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

export type Labels = { readonly [name: string]: string }
export type Point = readonly [labels: Labels, value: number | null | undefined]

/** The two lines that open a family; all of its points follow before the next family begins. */
export const family = (name: string, type: 'gauge' | 'counter', help: string): string =>
  `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`

/** One line; nothing for what is unknown, which is not 0 and not NaN. */
export function point(name: string, labels: Labels, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ''
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
}

export const points = (name: string, all: Iterable<Point>): string => {
  let text = ''
  for (const [labels, value] of all) text += point(name, labels, value)
  return text
}

/** What is in a label's value must not end it. */
export const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
