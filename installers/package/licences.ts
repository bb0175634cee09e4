import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { carriedPackages, type Lock } from './carried-packages.ts'
import { repository } from './target.ts'

/** What a package is made of and under which terms, as Debian wants it in `copyright`. */
export function copyrightText(lock: Lock, workspace: 'agent' | 'hub', nodeVersion: string): string {
  const parts = carriedPackages(lock, workspace)
    .filter((path) => path.includes('node_modules/'))
    .map((path) => {
      const { version, license = 'see its text' } = lock.packages[path]!
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return { name, version, license, text: licenceOf(join(repository, path)) }
    })
  const rule = '-'.repeat(78)
  return [
    'Harbinger is under the Apache License 2.0 (/usr/share/common-licenses/Apache-2.0 on Debian,',
    'and LICENSE beside its programs in /usr/lib).',
    '',
    `It carries Node.js ${nodeVersion} (MIT and others: the file LICENSE.node beside its programs) and:`,
    '',
    ...parts.map(({ name, version, license }) => `  ${name} ${version}: ${license}`),
    '',
    ...parts.flatMap(({ name, version, text }) =>
      text === undefined ? [] : [rule, `${name} ${version}`, '', text.trim(), ''],
    ),
  ].join('\n')
}

function licenceOf(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined
  const name = readdirSync(folder).find((file) => /^licen[cs]e(\.(md|txt))?$/i.test(file))
  return name === undefined ? undefined : readFileSync(join(folder, name), 'utf8')
}
