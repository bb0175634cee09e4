/** The little of the tar format (POSIX ustar) that a model folder needs: plain files side by side. */

const block = 512

export type TarFile = { readonly name: string; readonly bytes: Uint8Array }

/** Files as one archive; their owner and time are left out, so that equal files give equal bytes. */
export function toTar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap(({ name, bytes }) => [
    header(name, bytes.length),
    bytes,
    Buffer.alloc((block - (bytes.length % block)) % block),
  ])
  return Buffer.concat([...parts, Buffer.alloc(2 * block)])
}

function header(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`the name ${name} is too long for an archive`)
  const head = Buffer.alloc(block)
  const put = (text: string, at: number): void => void head.write(text, at, 'latin1')
  head.write(name, 0)
  put('0000644\0', 100)
  put('0000000\0', 108)
  put('0000000\0', 116)
  put(`${size.toString(8).padStart(11, '0')}\0`, 124)
  put('00000000000\0', 136)
  put('        ', 148)
  put('0', 156)
  put('ustar\u000000', 257)
  put(`${sumOf(head).toString(8).padStart(6, '0')}\0 `, 148)
  return head
}

/** The check sum of a header counts its own place as blanks. */
function sumOf(head: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : head[i]!
  return sum
}

/**
 * The files of an archive. Throws at whatever is no plain file, names a folder, comes twice, or claims more than there
 * is: an archive comes from elsewhere and is not to be trusted.
 */
export function parseTar(archive: Uint8Array): TarFile[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength)
  const files: TarFile[] = []
  for (let at = 0; at + block <= bytes.length;) {
    const head = bytes.subarray(at, at + block)
    if (head.every((byte) => byte === 0)) return files
    if (number(head, 148, 8) !== sumOf(head)) throw new Error('it is no tar archive, or is damaged')
    const name = text(head, 0, 100)
    const kind = String.fromCharCode(head[156]!)
    const prefix = text(head, 345, 155)
    const size = number(head, 124, 12)
    if (kind !== '0' && kind !== '\0') throw new Error(`${JSON.stringify(name)} is no plain file`)
    if (prefix !== '' || !/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) {
      throw new Error(`${JSON.stringify(prefix + name)} is no plain name`)
    }
    if (files.some((file) => file.name === name)) throw new Error(`${name} is in it twice`)
    const from = at + block
    if (!(size >= 0) || from + size > bytes.length) throw new Error(`${name} is cut short`)
    files.push({ name, bytes: bytes.subarray(from, from + size) })
    at = from + Math.ceil(size / block) * block
  }
  throw new Error('it is no tar archive, or is cut short')
}

function text(head: Buffer, at: number, length: number): string {
  const field = head.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

function number(head: Buffer, at: number, length: number): number {
  const digits = text(head, at, length).trim()
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN
}
