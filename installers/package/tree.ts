import {
  chmodSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  statSync,
  lstatSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export type Tree = ReturnType<typeof openTree>

/** What a package will put on the machine, laid out below a folder, with the modes it will have there. */
export function openTree(folder: string) {
  const at = (path: string): string => {
    const full = join(folder, path)
    mkdirSync(dirname(full), { recursive: true, mode: 0o755 })
    return full
  }
  return {
    folder,
    write(path: string, content: string | Uint8Array, mode = 0o644): void {
      writeFileSync(at(path), content)
      chmodSync(at(path), mode)
    },
    copy(from: string, path: string, mode = 0o644): void {
      copyFileSync(from, at(path))
      chmodSync(at(path), mode)
    },
    /** A folder with what `wants` lets in; symbolic links of the source are followed by nobody and left out. */
    copyFolder(from: string, path: string, wants: (relative: string) => boolean = () => true) {
      const visit = (relative: string): void => {
        for (const name of readdirSync(join(from, relative)).sort()) {
          const inner = relative === '' ? name : `${relative}/${name}`
          const stat = lstatSync(join(from, inner))
          if (stat.isSymbolicLink() || !wants(inner)) continue
          if (stat.isDirectory()) visit(inner)
          else if (stat.isFile()) this.copy(join(from, inner), `${path}/${inner}`)
        }
      }
      visit('')
    },
    link(target: string, path: string): void {
      symlinkSync(target, at(path))
    },
    makeFolder(path: string): void {
      mkdirSync(join(folder, path), { recursive: true, mode: 0o755 })
    },
    entries: () => entriesOf(folder),
    /** Everything gets one time, and folders the usual mode. */
    seal(seconds: number): void {
      for (const { path, kind } of entriesOf(folder)) {
        if (kind === 'folder') chmodSync(join(folder, path), 0o755)
        lutimesSync(join(folder, path), seconds, seconds)
      }
      chmodSync(folder, 0o755)
      lutimesSync(folder, seconds, seconds)
    },
  }
}

export type Entry = {
  /** From the root of the tree, without a leading slash. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  readonly bytes: number
  readonly mode: number
}

function entriesOf(folder: string): Entry[] {
  const found: Entry[] = []
  const visit = (relative: string): void => {
    for (const name of readdirSync(join(folder, relative)).sort()) {
      const path = relative === '' ? name : `${relative}/${name}`
      const stat = lstatSync(join(folder, path))
      const kind = stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'folder' : 'file'
      found.push({ path, kind, bytes: kind === 'file' ? stat.size : 0, mode: stat.mode & 0o7777 })
      if (kind === 'folder') visit(path)
    }
  }
  visit('')
  return found
}

export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
