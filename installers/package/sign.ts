import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runTool } from './run-tool.ts'

const hint = 'apt-get install gpg, or dnf install gnupg2'

/** Puts the signature of `key` (of the builder's own key ring) inside each RPM; a .deb is signed by its repository. */
export function signRpms(files: readonly string[], key: string): void {
  for (const file of files.filter((name) => name.endsWith('.rpm'))) {
    // Debian's rpm looks for a program called gpg2.
    const gpg = runTool('sh', ['-c', 'command -v gpg || command -v gpg2'], { hint }).trim()
    const macros = ['--define', `_gpg_name ${key}`, '--define', `__gpg ${gpg}`]
    runTool('rpmsign', [...macros, '--addsign', file], {
      hint: 'apt-get install rpm, or dnf install rpm-sign',
    })
  }
}

/** SHA256SUMS of everything that was built, and its signature when there is a key. */
export function writeChecksums(
  files: readonly string[],
  folder: string,
  key: string | undefined,
): string[] {
  const sums = join(folder, 'SHA256SUMS')
  const lines = files
    .map(
      (file) =>
        `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`,
    )
    .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
  writeFileSync(sums, lines.join(''))
  if (key === undefined) return [sums]
  const how = ['--batch', '--yes', '--local-user', key, '--armor', '--detach-sign']
  runTool('gpg', [...how, '--output', `${sums}.asc`, sums], { hint })
  return [sums, `${sums}.asc`]
}
