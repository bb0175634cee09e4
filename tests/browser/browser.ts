import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const root = join(import.meta.dirname, '../..')
/** Where screenshots go to be looked at; not kept in git. */
const artefacts = join(root, 'artefacts')

/** The browser to drive, or why there is none. */
export function findChromium(): { readonly path: string } | { readonly missing: string } {
  const asked = process.env['HARBINGER_CHROMIUM']
  if (asked) return existsSync(asked) ? { path: asked } : { missing: `no file ${asked}` }
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return { path: execFileSync('which', [name], { encoding: 'utf8', stdio: 'pipe' }).trim() }
    } catch {
      // Not this one.
    }
  }
  return { missing: 'no chromium on PATH, and HARBINGER_CHROMIUM is not set' }
}

/** The pages as they are now, built beside the repository so that a test never looks at an old bundle. */
export function buildUi() {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-ui-'))
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      'ui',
      '--outDir',
      folder,
      '--emptyOutDir',
    ],
    { cwd: root, stdio: 'pipe' },
  )
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const desktop = { width: 1440, height: 900 }
export const phone = { width: 360, height: 800 }

export async function openBrowser(path: string) {
  // Chromium has no sandbox for root, which is what containers run as.
  const browser: Browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] })
  return {
    /** A fresh viewer at `url`; everything the page complains of is kept in `complaints`. */
    async visit(url: string, options: BrowserContextOptions = {}) {
      const context = await browser.newContext({ viewport: desktop, ...options })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => void complaints.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          complaints.push(message.text())
      })
      await page.goto(url)
      return { page, complaints, leave: () => context.close() }
    },
    close: () => browser.close(),
  }
}

export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(artefacts, { recursive: true })
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true })
}

/** What axe finds wrong under WCAG 2.2 AA, one line each. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: join(root, 'node_modules/axe-core/axe.min.js') })
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as {
    violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[]
  }
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary}`),
  )
}
