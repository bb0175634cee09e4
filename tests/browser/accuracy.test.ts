import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  axeFindings,
  buildUi,
  desktop,
  findChromium,
  keepScreenshot,
  openBrowser,
  phone,
} from './browser.ts'
import { openMockHub } from './mock-hub.ts'

const found = findChromium()
const missing = 'missing' in found ? found.missing : undefined

if (missing !== undefined)
  test(`the accuracy page is not tested: ${missing}`, ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(`No browser in CI: ${missing}`)
    skip(missing)
  })

describe.skipIf(missing !== undefined)('the accuracy page in a browser', () => {
  let ui: ReturnType<typeof buildUi>
  let browser: Awaited<ReturnType<typeof openBrowser>>
  let hub: Awaited<ReturnType<typeof openMockHub>>
  beforeAll(async () => {
    ui = buildUi()
    browser = await openBrowser((found as { path: string }).path)
    hub = await openMockHub(ui.folder, 20)
  })
  afterAll(async () => {
    await browser?.close()
    await hub?.close()
    ui?.remove()
  })

  test('says what was promised against what came, and what drifted', async () => {
    const { page, complaints, leave } = await browser.visit(hub.url)
    await page.getByRole('navigation').getByText('Accuracy').click()
    const sentence = page.getByTestId('accuracy-sentence')
    await sentence.waitFor()
    const text = await sentence.textContent()
    expect(text).toContain('216,000 forecast points were compared with what came')
    expect(text).toContain('9\u00a0% better than seven day mean level')
    expect(text).toContain('held 79.5\u00a0% of what came: as promised')
    expect(text).toContain('12 more points were never measured and are not scored')
    expect(await page.locator('tbody tr').count()).toBe(12)
    expect(await page.locator('tr[data-metric=cpu_idle_pct]').textContent()).toContain('CPU used')
    expect(await page.locator('main').textContent()).not.toMatch(/idle/i)
    expect(await page.locator('main').textContent()).toContain('nothing has been scored')
    expect(await page.getByTestId('drift').textContent()).toContain(
      'Network in of database servers is 10 × what it was a week ago',
    )
    expect(await page.getByTestId('drift').textContent()).toContain(
      'the baseline serves until it is over',
    )

    await page.getByRole('button', { name: 'Last day' }).click()
    expect(new URL(page.url()).search).toBe('?days=1')
    expect(await sentence.textContent()).toContain('less than it promised')
    expect(complaints).toEqual([])
    await leave()
  })

  test.each([
    ['desktop', desktop],
    ['phone', phone],
  ] as const)(
    'reads well on a %s, light and dark, and has nothing that axe objects to',
    async (name, viewport) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page, leave } = await browser.visit(`${hub.url}/accuracy`, {
          viewport,
          colorScheme,
          bypassCSP: true,
        })
        await page.getByTestId('accuracy-sentence').waitFor()
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
        expect(await axeFindings(page)).toEqual([])
        await keepScreenshot(page, `accuracy-${name}-${colorScheme}`)
        await leave()
      }
    },
    60_000,
  )
})
