import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillIn } from './fill-in.ts'
import { runTool } from './run-tool.ts'
import { scriptValues } from './script-values.ts'
import type { Target } from './target.ts'
import type { Tree } from './tree.ts'

const hint = 'it comes with dpkg, which other distributions carry too (dnf install dpkg)'

/** Packs a staged tree as a Debian package; the same tree and time give the same bytes. */
export function buildDeb(target: Target, tree: Tree, outFolder: string): string {
  const { product, arch, version, sourceDate, compression } = target
  const control = join(tree.folder, 'DEBIAN')
  const entries = tree.entries()
  mkdirSync(control, { mode: 0o755 })
  const write = (name: string, content: string, mode = 0o644): void => {
    writeFileSync(join(control, name), content)
    chmodSync(join(control, name), mode)
    utimesSync(join(control, name), sourceDate, sourceDate)
  }
  const kilobytes = entries.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 1024) + 1, 0)
  write('control', controlFile(target, kilobytes))
  write(
    'md5sums',
    entries
      .filter(({ kind }) => kind === 'file')
      .map(({ path }) => `${md5(join(tree.folder, path))}  ${path}\n`)
      .join(''),
  )
  for (const script of ['preinst', 'postinst', 'prerm', 'postrm']) {
    write(script, fillIn(`scripts/deb.${script}`, scriptValues(target)), 0o755)
  }
  utimesSync(control, sourceDate, sourceDate)
  utimesSync(tree.folder, sourceDate, sourceDate)

  const file = join(outFolder, `${product.name}_${version}_${arch}.deb`)
  mkdirSync(outFolder, { recursive: true })
  // Blocks of one size, whatever the number of processors: the bytes do not depend on the machine.
  runTool(
    'dpkg-deb',
    [
      '--root-owner-group',
      ...(compression === 0 ? ['-Znone'] : ['-Zxz', `-z${compression}`]),
      '--threads-max=2',
      '--build',
      tree.folder,
      file,
    ],
    { env: { SOURCE_DATE_EPOCH: String(sourceDate) }, hint },
  )
  rmSync(control, { recursive: true })
  return file
}

const md5 = (path: string): string => createHash('md5').update(readFileSync(path)).digest('hex')

function controlFile({ product, arch, version }: Target, kilobytes: number): string {
  const depends = [
    `libc6 (>= ${product.glibc})`,
    'libstdc++6 (>= 7)',
    'libgcc-s1 | libgcc1',
    'passwd',
    'init-system-helpers (>= 1.51)',
  ]
  const suggests = product.name === 'harbinger-hub' ? 'Suggests: libvulkan1\n' : ''
  return `Package: ${product.name}
Version: ${version}
Architecture: ${arch}
Maintainer: The Harbinger project <harbinger@localhost>
Section: admin
Priority: optional
Installed-Size: ${kilobytes}
Depends: ${depends.join(', ')}
${suggests}Description: ${product.summary}
${product.description.replace(/(.{1,76})( |$)/g, ' $1\n').trimEnd()}
`
}
