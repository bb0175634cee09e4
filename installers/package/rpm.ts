import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillIn } from './fill-in.ts'
import { runTool } from './run-tool.ts'
import { scriptValues } from './script-values.ts'
import { architectures, type Target } from './target.ts'
import type { Entry, Tree } from './tree.ts'

const hint = 'apt-get install rpm, or dnf install rpm-build'

/** Packs a staged tree as an RPM; the same tree and time give the same bytes. */
export function buildRpm(target: Target, tree: Tree, outFolder: string): string {
  const { product, arch, version, sourceDate, compression } = target
  const architecture = architectures[arch].rpm
  const work = mkdtempSync(join(tmpdir(), 'harbinger-rpm-'))
  try {
    const spec = join(work, 'package.spec')
    writeFileSync(
      spec,
      fillIn('scripts/rpm.spec', {
        ...scriptValues(target),
        VERSION: version,
        SUMMARY: product.summary,
        DESCRIPTION: product.description,
        GLIBC: product.glibc,
        COMPRESSION: String(compression),
        FILES: tree
          .entries()
          .flatMap((entry) => fileLine(entry, target))
          .join('\n'),
      }),
    )
    const macros = [
      ['_topdir', work],
      ['_rpmdir', join(work, 'out')],
      ['_rpmfilename', '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm'],
      // The database of the building machine is no business of ours, and a Debian has none.
      ['_dbpath', join(work, 'db')],
    ].flatMap(([name, value]) => ['--define', `${name} ${value}`])
    const how = ['-bb', '--nodeps', '--noclean', '--target', `${architecture}-linux`]
    runTool('rpmbuild', [...how, '--buildroot', tree.folder, ...macros, spec], {
      env: { SOURCE_DATE_EPOCH: String(sourceDate), LC_ALL: 'C' },
      hint,
    })
    const name = readdirSync(join(work, 'out')).find((file) => file.endsWith('.rpm'))
    if (name === undefined) throw new Error(`rpmbuild left no package in ${work}/out`)
    mkdirSync(outFolder, { recursive: true })
    copyFileSync(join(work, 'out', name), join(outFolder, name))
    return join(outFolder, name)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Folders that belong to the system are not ours to own. */
const ownFolders = [
  'usr/lib/harbinger-agent',
  'usr/lib/harbinger-hub',
  'etc/harbinger',
  'var/lib/harbinger',
]

function fileLine({ path, kind, mode }: Entry, { product }: Target): string[] {
  const isOwn = [...ownFolders, `usr/share/doc/${product.name}`].some(
    (folder) => path === folder || path.startsWith(`${folder}/`),
  )
  const quoted = `"/${path}"`
  if (kind === 'folder') return isOwn ? [`%dir %attr(0755, root, root) ${quoted}`] : []
  if (kind === 'link') return [quoted]
  const isConfig = `/${path}` === product.configFile
  const group = isConfig && product.configMode !== 0o644 ? product.user : 'root'
  const attributes = `%attr(0${mode.toString(8)}, root, ${group})`
  return [`${isConfig ? '%config(noreplace) ' : ''}${attributes} ${quoted}`]
}
