import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Lock } from './carried-packages.ts'
import { bashCompletion, zshCompletion } from './completion.ts'
import { configFile } from './documented-settings.ts'
import { fillIn } from './fill-in.ts'
import { copyrightText } from './licences.ts'
import { manPages } from './man-page.ts'
import { nodeFlags, type NodeRuntime } from './node-runtime.ts'
import { stageAgent } from './stage-agent.ts'
import { stageHub } from './stage-hub.ts'
import { programFolder, repository, settingsTemplate, type Target } from './target.ts'
import { openTree, type Tree } from './tree.ts'

export type Format = 'deb' | 'rpm'

type Options = { readonly lock: Lock; readonly node: NodeRuntime; readonly format: Format }

/** Where each family of systems looks for what zsh completes. */
const zshFolder = { deb: '/usr/share/zsh/vendor-completions', rpm: '/usr/share/zsh/site-functions' }

/** Lays out below `folder` what a package installs, as it will lie on the machine. */
export function stage(target: Target, folder: string, { lock, node, format }: Options): Tree {
  const { product, arch, version, sourceDate } = target
  const tree = openTree(folder)
  const programs = programFolder(product)
  const isAgent = product.name === 'harbinger-agent'

  tree.copy(node.binary, `${programs}/bin/node`, 0o755)
  tree.copy(node.licence, `${programs}/LICENSE.node`)
  tree.copy(join(repository, 'LICENSE'), `${programs}/LICENSE`)
  if (isAgent) stageAgent(tree, programs)
  else stageHub(tree, programs, { lock, arch })

  tree.write(
    `/usr/bin/${product.command}`,
    fillIn(`starters/${product.command}.sh`, {
      FLAGS: nodeFlags(isAgent ? 'agent' : 'hub').join(' '),
    }),
    0o755,
  )
  const unit = `${product.name}.service`
  tree.write(
    `/usr/lib/systemd/system/${unit}`,
    readFileSync(join(import.meta.dirname, 'units', unit)),
  )
  if (format === 'rpm') {
    tree.write(product.configFile, configFile(product.name), product.configMode)
  } else {
    tree.write(settingsTemplate(product), configFile(product.name))
    tree.makeFolder('/etc/harbinger')
  }
  tree.makeFolder('/var/lib/harbinger')

  for (const page of manPages(product, version, new Date(sourceDate * 1000))) {
    tree.write(
      `/usr/share/man/man${page.section}/${page.name}.${page.section}.gz`,
      gzipSync(page.text, { level: 9 }),
    )
  }
  tree.write(`/usr/share/bash-completion/completions/${product.command}`, bashCompletion(product))
  tree.write(`${zshFolder[format]}/_${product.command}`, zshCompletion(product))

  const documents = `/usr/share/doc/${product.name}`
  tree.write(`${documents}/copyright`, copyrightText(lock, isAgent ? 'agent' : 'hub', node.version))
  tree.write(
    `${documents}/changelog.gz`,
    gzipSync(readFileSync(join(repository, 'CHANGELOG.md')), { level: 9 }),
  )
  tree.seal(sourceDate)
  return tree
}
