/**
 * `npm run package -- [--product agent|hub] [--arch amd64|arm64] [--format deb|rpm|npm] [--out FOLDER] [--sign KEY]
 * [--compression 0-9] [--json]`: builds the packages of both products for both processors into artefacts/packages, with
 * SHA256SUMS. Two builds of one commit are the same bytes; a signature is not part of that. See docs/install.md.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { productVersion } from '@harbinger/shared/version'
import type { Lock } from './carried-packages.ts'
import { buildDeb } from './deb.ts'
import { nodeRuntime } from './node-runtime.ts'
import { buildNpmArchive } from './npm-archive.ts'
import { buildRpm } from './rpm.ts'
import { signRpms, writeChecksums } from './sign.ts'
import { sourceDateOf } from './source-date.ts'
import { stage } from './stage.ts'
import { type Architecture, architectures, products, repository, type Target } from './target.ts'

/** Smaller than this costs minutes, and 64 MB of memory on every server that unpacks it. */
const releaseCompression = 6

const { values } = parseArgs({
  options: {
    product: { type: 'string' },
    arch: { type: 'string' },
    format: { type: 'string' },
    out: { type: 'string', default: join(repository, 'artefacts/packages') },
    sign: { type: 'string' },
    compression: { type: 'string', default: String(releaseCompression) },
    json: { type: 'boolean', default: false },
  },
})

const mistakes = [
  ...oneOf('product', ['agent', 'hub']),
  ...oneOf('arch', Object.keys(architectures)),
  ...oneOf('format', ['deb', 'rpm', 'npm']),
  ...oneOf('compression', [...'0123456789']),
]

function oneOf(option: keyof typeof values, allowed: readonly string[]): string[] {
  const given = values[option]
  return given === undefined || allowed.includes(String(given))
    ? []
    : [`--${option}: expected one of ${allowed.join(', ')}, got ${String(given)}`]
}

/** A package that is not pressed as for a release is larger and says nothing. */
function refuseLarge(file: string, { product, compression }: Target): void {
  const megabytes = statSync(file).size / 1e6
  if (compression < releaseCompression || megabytes <= product.maxMegabytes) return
  throw new Error(
    `${file} is ${megabytes.toFixed(1)} MB; ${product.name} may be ${product.maxMegabytes} MB: see what grew`,
  )
}

function build(): string[] {
  const outFolder = resolve(values.out)
  const cacheFolder = join(repository, 'artefacts/cache')
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock
  const sourceDate = sourceDateOf(process.env.SOURCE_DATE_EPOCH)
  mkdirSync(outFolder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'harbinger-package-'))
  const built: string[] = []
  const report = (file: string, began: number): void => {
    built.push(file)
    const megabytes = statSync(file).size / 1e6
    const seconds = (performance.now() - began) / 1000
    if (!values.json) {
      process.stdout.write(
        `${basename(file)}  ${megabytes.toFixed(1)} MB  ${seconds.toFixed(0)} s\n`,
      )
    }
  }
  try {
    for (const product of Object.values(products)) {
      if (values.product && product.name !== `harbinger-${values.product}`) continue
      for (const arch of Object.keys(architectures) as Architecture[]) {
        if (values.arch && arch !== values.arch) continue
        for (const format of ['deb', 'rpm'] as const) {
          if (values.format && format !== values.format) continue
          const began = performance.now()
          const compression = Number(values.compression)
          const target: Target = { product, arch, version: productVersion, sourceDate, compression }
          const folder = join(work, `${product.name}-${arch}-${format}`)
          mkdirSync(folder)
          const node = nodeRuntime(arch, lock, cacheFolder)
          const tree = stage(target, folder, { lock, node, format })
          const file = (format === 'deb' ? buildDeb : buildRpm)(target, tree, outFolder)
          rmSync(folder, { recursive: true })
          report(file, began)
          refuseLarge(file, target)
        }
      }
    }
    const isWanted = values.format === 'npm' || values.format === undefined
    if (isWanted && values.product !== 'hub') {
      const began = performance.now()
      const folder = join(work, 'npm')
      mkdirSync(folder)
      report(buildNpmArchive({ version: productVersion, folder, outFolder }), began)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  if (values.sign !== undefined) signRpms(built, values.sign)
  return [...built, ...writeChecksums(built, outFolder, values.sign)]
}

try {
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'))
  const files = build()
  process.stdout.write(
    values.json
      ? `${JSON.stringify(files)}\n`
      : `${files.length} files in ${resolve(values.out)}\n`,
  )
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
