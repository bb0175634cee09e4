import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { carriedPackages, type Lock } from './carried-packages.ts'
import { type Architecture, architectures, repository } from './target.ts'
import { isFolder, type Tree } from './tree.ts'

/** Our own parts that the hub runs, as they are in the repository: it runs its sources (ADR 7). */
const ownParts: { readonly [part: string]: readonly string[] } = {
  hub: ['src'],
  shared: ['src'],
  'model-training': ['src', 'graphs', 'base-model'],
  ui: ['dist'],
}

/** The hub with everything it needs at run time, laid out as in the repository. */
export function stageHub(tree: Tree, folder: string, { lock, arch }: Options): void {
  for (const [part, inner] of Object.entries(ownParts)) {
    for (const name of inner) {
      const from = join(repository, part, name)
      if (!isFolder(from)) throw new Error(`${from} is missing: run npm run package`)
      tree.copyFolder(from, `${folder}/${part}/${name}`, isRun)
    }
    tree.write(
      `${folder}/${part}/package.json`,
      readFileSync(join(repository, part, 'package.json')),
    )
  }
  tree.write(`${folder}/package.json`, '{ "type": "module", "private": true }\n')
  for (const path of carriedPackages(lock, 'hub')) {
    if (path.includes('node_modules/')) carry(tree, { path, folder, arch })
    // The realpath of our sources must not hold node_modules: Node strips no types there.
    else tree.link(`../../${path}`, `${folder}/node_modules/@harbinger/${path}`)
  }
}

type Options = { readonly lock: Lock; readonly arch: Architecture }

const isRun = (path: string): boolean =>
  !/\.test\.ts$|^bench$|(^|\/)\.|(^|\/)fixtures(\/|$)/.test(path)

type Carried = { readonly path: string; readonly folder: string; readonly arch: Architecture }

/** A package without what only its makers, compilers and other systems need. */
function carry(tree: Tree, { path, folder, arch }: Carried): void {
  const platform = `linux-${architectures[arch].node}`
  tree.copyFolder(join(repository, path), `${folder}/${path}`, (inner) => {
    const name = inner.slice(inner.lastIndexOf('/') + 1)
    // Each package is in the list by itself, also one inside another.
    if (name === 'node_modules') return false
    if (/^licen[cs]e|^notice|^copying|third.?party/i.test(name)) return true
    if (
      /\.(md|markdown|map|d\.[cm]?ts|[cm]?ts|gypi?|cc|cpp|c|h|hpp|flow|tsbuildinfo)$/i.test(name)
    ) {
      return false
    }
    if (
      /^(test|tests|__tests__|example|examples|benchmark|benchmarks|bench|docs|coverage)$/.test(
        inner,
      )
    ) {
      return false
    }
    if (name.startsWith('.')) return false
    return isFor(platform, path, inner)
  })
}

/** False for a native file of another system or processor. */
function isFor(platform: string, path: string, inner: string): boolean {
  const [system, processor] = platform.split('-')
  if (path === 'node_modules/better-sqlite3') {
    return (
      !/^(deps|src)$/.test(inner) &&
      (!/^prebuilds\/./.test(inner) || inner === `prebuilds/${platform}.node`)
    )
  }
  if (path === 'node_modules/onnxruntime-node') {
    if (inner === 'script') return false
    const place = /^bin\/[^/]+\/(?<system>[^/]+)(?:\/(?<processor>[^/]+))?/.exec(inner)?.groups
    return (
      !place ||
      (place['system'] === system &&
        (place['processor'] === undefined || place['processor'] === processor))
    )
  }
  return true
}
