import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { bashCompletion, completionNodes } from '../../installers/package/completion.ts'
import { manPages } from '../../installers/package/man-page.ts'
import { productNames, products, repository } from '../../installers/package/target.ts'
import { lacks, reasonToSkip, run } from './system-tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'harbinger-units-'))
afterAll(() => rmSync(folder, { recursive: true }))

const unitFile = (name: string) => join(repository, 'installers/package/units', `${name}.service`)

const noSystemd = reasonToSkip([lacks('systemd-analyze')])

describe.skipIf(noSystemd !== undefined)('units', () => {
  test.each(productNames)('%s is exposed to 2.0 of 10 at most', (name) => {
    // A score above the threshold, in tenths, is a failure of the command.
    const said = run('systemd-analyze', [
      'security',
      '--offline=true',
      '--no-pager',
      '--threshold=20',
      unitFile(name),
    ])
    expect(said).toMatch(/Overall exposure level for .*: \d\.\d OK/)
  })
})

test('the unit of the agent lets it see what its readings need', () => {
  const unit = readFileSync(unitFile('harbinger-agent'), 'utf8')
  // Hidden processes would take the CPU time of JVMs, a private network every socket.
  for (const line of ['ProtectProc=default', 'ProcSubset=all', 'ProtectHome=read-only']) {
    expect(unit).toContain(`\n${line}\n`)
  }
  expect(unit).not.toMatch(/^PrivateNetwork=yes/m)
})

test('the unit of the hub lets it see the addresses that its certificate names', () => {
  // Without it os.networkInterfaces() throws: seen on a machine that runs under systemd (trials/booted.test.ts).
  expect(readFileSync(unitFile('harbinger-hub'), 'utf8')).toMatch(
    /^RestrictAddressFamilies=.*AF_NETLINK/m,
  )
})

test('the unit of the agent takes "has joined no hub" for no failure, and does not try again', () => {
  const unit = readFileSync(unitFile('harbinger-agent'), 'utf8')
  expect(unit).toMatch(/^SuccessExitStatus=78$/m)
  expect(unit).toMatch(/^RestartPreventExitStatus=78$/m)
})

const noGroff = reasonToSkip([lacks('groff')])

describe.skipIf(noGroff !== undefined)('manual', () => {
  test.each(productNames)('of %s is without a mistake and names every command', (name) => {
    for (const { section, text } of manPages(products[name], '0.1.0', new Date(0))) {
      const file = join(folder, `${name}.${section}`)
      writeFileSync(file, text)
      const shown = run('sh', ['-c', `groff -man -Tascii -ww -P-cbou ${file} 2>&1`])
      expect(shown).not.toMatch(/: (warning|error):/)
      expect(shown).toContain('NAME')
      if (section === 1) expect(shown).toContain('doctor')
    }
  })
})

describe('completion of bash', () => {
  const complete = (name: (typeof productNames)[number], ...words: string[]) => {
    const script = join(folder, `${name}.bash`)
    writeFileSync(script, bashCompletion(products[name]))
    const call = `_${products[name].command.replaceAll('-', '_')}`
    const list = words.map((word) => `'${word}'`).join(' ')
    return run('bash', [
      '-c',
      `. ${script}; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; ${call}; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ])
      .trim()
      .split('\n')
  }

  test('offers commands, commands under them, and options', () => {
    expect(complete('harbinger-agent', 'harbinger-agent', '')).toEqual(
      expect.arrayContaining(['run', 'once', 'doctor', 'status']),
    )
    expect(complete('harbinger-agent', 'harbinger-agent', 'do')).toEqual(['doctor'])
    expect(complete('harbinger-agent', 'harbinger-agent', 'doctor', '--j')).toEqual(['--json'])
    expect(complete('harbinger-hub', 'harbinger', 'model', 'pro')).toEqual(['promote'])
    expect(complete('harbinger-hub', 'harbinger', 'model', 'list', '--da')).toEqual(['--data'])
  })

  test('offers files where one is meant', () => {
    writeFileSync(join(folder, 'settings.yaml'), '')
    const asked = complete('harbinger-agent', 'harbinger-agent', 'run', '--config', `${folder}/set`)
    expect(asked).toEqual([join(folder, 'settings.yaml')])
  })

  test('knows every command there is', () => {
    for (const name of productNames) {
      for (const { path, words } of completionNodes(products[name])) {
        expect(
          complete(name, products[name].command, ...path.split(' ').filter(Boolean), ''),
        ).toEqual(expect.arrayContaining(words.map(({ text }) => text)))
      }
    }
  })
})
