import { join } from 'node:path'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { run } from './system-tools.ts'

/** A key ring of its own, which must lie on a short path: gpg's agent has a socket there. */
export function openSigningKey(name: string) {
  const home = mkdtempSync(join(tmpdir(), 'hb-gpg-'))
  const env = { ...process.env, GNUPGHOME: home }
  run('gpg', ['--batch', '--passphrase', '', '--quick-gen-key', name, 'rsa2048', 'sign', '1d'], {
    env,
  })
  return { name, home, env, close: () => void run('gpgconf', ['--kill', 'all'], { env }) }
}
