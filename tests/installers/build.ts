import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Lock } from '../../installers/package/carried-packages.ts'
import { buildDeb } from '../../installers/package/deb.ts'
import { buildRpm } from '../../installers/package/rpm.ts'
import { type Format, stage } from '../../installers/package/stage.ts'
import {
  type Architecture,
  type ProductName,
  products,
  repository,
} from '../../installers/package/target.ts'
import type { Tree } from '../../installers/package/tree.ts'

export const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock

const sourceDate = 1_750_000_000

/** Builds as `npm run package` does, in a process of its own; answers the files. */
export async function buildPackages(...options: readonly string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['installers/package/main.ts', '--json', ...options],
    {
      cwd: repository,
      env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDate) },
      maxBuffer: 1 << 26,
    },
  )
  return JSON.parse(stdout) as string[]
}

type Quick = {
  readonly product: ProductName
  readonly arch?: Architecture
  readonly format: Format
  readonly version?: string
  /** Somewhere to work, emptied by the caller. */
  readonly folder: string
  /** Changes what was staged. */
  readonly edit?: (tree: Tree) => void
}

/** A package, or the tree it is made of, whose Node is a few bytes: for all that needs no running program. */
export function quickPackage(options: Quick): string {
  const { format, product, arch = 'amd64', version = '0.1.0', folder } = options
  const tree = quickTree(options)
  const target = { product: products[product], arch, version, sourceDate, compression: 0 }
  return (format === 'deb' ? buildDeb : buildRpm)(target, tree, join(folder, version))
}

export function quickTree({ product, arch = 'amd64', format, version = '0.1.0', ...rest }: Quick) {
  const node = join(rest.folder, 'node')
  writeFileSync(node, '#!/bin/sh\nexit 0\n')
  const root = mkdtempSync(join(rest.folder, 'tree-'))
  mkdirSync(root, { recursive: true })
  const target = { product: products[product], arch, version, sourceDate, compression: 0 }
  const runtime = { binary: node, licence: join(repository, 'LICENSE'), version: '24' }
  const tree = stage(target, root, { lock, node: runtime, format })
  rest.edit?.(tree)
  tree.seal(sourceDate)
  return tree
}
