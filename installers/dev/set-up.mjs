/**
 * Everything a fresh clone needs before it can run: dependencies, the pinned Node, the built agent and fleet view.
 * Plain JavaScript without dependencies, because it runs before anything is installed, on the system's Node 20+.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const oldestNode = 20

/** The Node that really runs Harbinger: the one package.json pins, whatever the system has. */
export function pinnedNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
  try {
    const require = createRequire(join(root, 'package.json'))
    const path = join(dirname(require.resolve(`${name}/package.json`)), file)
    if (existsSync(path)) return path
  } catch {
    // No such package for this platform: the system's Node serves when it is new enough.
  }
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  throw new Error(
    `the package ${name} (Node 24) is not installed and the system's Node is ${process.version}; ` +
      'install Node 24 or run on Linux x64 or arm64',
  )
}

/** Environment for child processes: the pinned Node first in PATH, so that every `node` is that one. */
export const childEnvironment = () => ({
  ...process.env,
  PATH: `${dirname(pinnedNode())}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
})

/** How Node is started for a part, the same as where it is installed. */
export const nodeFlags = (part) =>
  JSON.parse(readFileSync(join(root, part, 'node-flags.json'), 'utf8'))

/** For a hub: what TypeScript becomes is kept, so that it starts sooner and holds less. */
export const keepCompiled = {
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.harbinger-compiled'),
}

/** Runs a command, its output shown only when it fails or `show` is set; throws with the output's end. */
export function runStep(what, command, args, { show = false, env = process.env } = {}) {
  const began = Date.now()
  const result = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (result.error) throw new Error(`${what}: ${result.error.message}`, { cause: result.error })
  if (result.status !== 0) {
    const said = show ? '' : `\n${`${result.stdout}${result.stderr}`.slice(-6000)}`
    throw new Error(`${what} failed (${result.signal ?? `exit ${result.status}`})${said}`)
  }
  return (Date.now() - began) / 1000
}

const say = (text) => process.stdout.write(`${text}\n`)

function hashOf(paths) {
  const hash = createHash('sha256')
  const visit = (path) => {
    const full = join(root, path)
    if (!existsSync(full)) return
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) {
        if (name !== 'node_modules' && name !== 'dist') visit(join(path, name))
      }
    } else hash.update(path).update(readFileSync(full))
  }
  paths.forEach(visit)
  return hash.digest('hex')
}

/** Does `work` unless it was done for exactly these inputs; the stamp is written after it succeeded. */
function once(stamp, inputs, work) {
  const path = join(root, stamp)
  const hash = hashOf(inputs)
  if (existsSync(path) && readFileSync(path, 'utf8') === hash) return
  work()
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, hash)
}

function install() {
  const manifests = ['package.json', 'package-lock.json', '.npmrc']
  const parts = ['shared', 'agent', 'hub', 'ui', 'model-training'].map((p) => `${p}/package.json`)
  once('node_modules/.harbinger-installed', [...manifests, ...parts], () => {
    say('Installing dependencies …')
    // npm says which npm runs us; outside `npm run` it is the one on the PATH.
    const npm = process.env.npm_execpath
    const [command, before] = npm ? [process.execPath, [npm]] : ['npm', []]
    const seconds = runStep('npm ci', command, [
      ...before,
      'ci',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ])
    say(`Dependencies installed (${seconds.toFixed(0)} s)`)
  })
}

/** Makes the clone ready to run; a second call finds everything done. Throws with what failed. */
export function setUp() {
  const [major] = process.versions.node.split('.')
  if (Number(major) < oldestNode) {
    throw new Error(`Node ${oldestNode} or newer is needed to set up; this is ${process.version}`)
  }
  install()
  const env = childEnvironment()
  const node = pinnedNode()
  once(
    'agent/dist/.built',
    ['agent/src', 'agent/build.mjs', 'agent/package.json', 'shared/src', 'package-lock.json'],
    () => {
      say(
        `Agent built (${runStep('building the agent', node, ['agent/build.mjs'], { env }).toFixed(0)} s)`,
      )
    },
  )
  once(
    'ui/dist/.built',
    [
      'ui/src',
      'ui/index.html',
      'ui/public',
      'ui/vite.config.ts',
      'shared/src',
      'package-lock.json',
    ],
    () => {
      const seconds = runStep(
        'building the fleet view',
        node,
        ['node_modules/vite/bin/vite.js', 'build', 'ui'],
        { env },
      )
      say(`Fleet view built (${seconds.toFixed(0)} s)`)
    },
  )
}

/** Ends the process with a readable line instead of a stack. */
export function fail(error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
