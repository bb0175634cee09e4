import { close, closeSync, fsync, fsyncSync, open, openSync } from 'node:fs'

/** After it, a power failure does not take back that a file of this folder is there. Not every system can; then it is left. */
export const syncFolder = (folder: string): Promise<void> =>
  new Promise((resolve) => {
    open(folder, 'r', (error, file) => {
      if (error) return resolve()
      fsync(file, () => close(file, () => resolve()))
    })
  })

/** The same, for where nothing else is to happen meanwhile. */
export function syncFolderNow(folder: string): void {
  try {
    const file = openSync(folder, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch {
    // A system that cannot open folders (Windows) makes no promise about them.
  }
}
