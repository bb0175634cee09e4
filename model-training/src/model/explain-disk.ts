const words: { readonly [code: string]: string } = {
  ENOSPC: 'the disk is full; free some space and train again, it goes on where it stopped',
  EDQUOT: 'the quota is used up; free some space and train again, it goes on where it stopped',
  EFBIG: 'the file grew beyond what this process may write',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
}

/** An error of writing in words that say what could not be written and what to do; others stay as they are. */
export function explainDisk(error: unknown, what: string): Error {
  const { code } = error as NodeJS.ErrnoException
  const why = code === undefined ? undefined : words[code]
  if (!why) return error as Error
  return new Error(`${what} could not be written: ${why} (${code})`, { cause: error })
}
