import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lock } from './carried-packages.ts'
import { runTool } from './run-tool.ts'
import { type Architecture, architectures, repository } from './target.ts'

/** The Node that a package carries. */
export type NodeRuntime = {
  readonly binary: string
  readonly licence: string
  readonly version: string
}

/**
 * The pinned Node for a processor: from node_modules where npm installed it, else fetched by npm and held against
 * package-lock.json. It is carried as its makers built it, symbols included, so that anybody can compare it.
 */
export function nodeRuntime(arch: Architecture, lock: Lock, cacheFolder: string): NodeRuntime {
  const name = `node-linux-${architectures[arch].node}`
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {}
  if (version === undefined || integrity === undefined) {
    throw new Error(`package-lock.json does not pin ${name}`)
  }
  const installed = join(repository, 'node_modules', name)
  const folder = existsSync(join(installed, 'bin/node'))
    ? installed
    : fetched(`${name}@${version}`, integrity, cacheFolder)
  return { binary: join(folder, 'bin/node'), licence: join(folder, 'LICENSE'), version }
}

function fetched(pinned: string, integrity: string, cacheFolder: string): string {
  const folder = join(cacheFolder, pinned)
  if (existsSync(join(folder, 'bin/node'))) return folder
  mkdirSync(folder, { recursive: true })
  process.stderr.write(`fetching ${pinned} …\n`)
  const [command, before] = npm()
  const answer = JSON.parse(
    runTool(command, [...before, 'pack', pinned, '--json', '--pack-destination', folder]),
  ) as { filename: string }[]
  const archive = join(folder, answer[0]!.filename)
  const got = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (got !== integrity) {
    throw new Error(`${archive} is not what package-lock.json pins: ${got} instead of ${integrity}`)
  }
  const wanted = ['package/bin/node', 'package/LICENSE', 'package/package.json']
  runTool('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', ...wanted])
  return folder
}

/** The npm that runs us; outside `npm run` the one on the PATH. */
export function npm(): readonly [command: string, before: readonly string[]] {
  const path = process.env.npm_execpath
  return path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []]
}

/** How Node is started for a part, the same as in the repository: its bin/ says why. */
export const nodeFlags = (part: 'agent' | 'hub'): string[] =>
  JSON.parse(readFileSync(join(repository, part, 'node-flags.json'), 'utf8')) as string[]
