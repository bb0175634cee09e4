import type { Page } from 'playwright-core'
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
  test(`why and what-if are not tested: ${missing}`, ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(`No browser in CI: ${missing}`)
    console.warn(`SKIPPED: why and what-if are not tested in a browser: ${missing}`)
    skip(missing)
  })

describe.skipIf(missing !== undefined)('why and what-if in a browser', () => {
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

  const visit = async (options = {}) => {
    const visited = await browser.visit(`${hub.url}/servers/ppml001`, options)
    await visited.page.getByTestId('why-text').or(visited.page.getByRole('alert')).waitFor()
    return visited
  }
  const panel = (page: Page) => page.locator('section.why')

  test('says what the forecast rests on, in order, and what happened before', async () => {
    const { page, complaints, leave } = await visit()
    const drivers = page.getByTestId('drivers').locator('li')
    expect(await drivers.count()).toBe(2)
    expect(await drivers.first().textContent()).toContain(
      'Had Memory gone as usual in the last 24 h, the expected peak would be 71.4 % instead of 96.2 %.',
    )
    const widths = await drivers
      .locator('.bar > span')
      .evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width))
    expect(widths[1]! / widths[0]!).toBeCloseTo(3.1 / 14.2, 1)
    const episodes = page.getByTestId('episodes').locator('li')
    expect(await episodes.first().textContent()).toContain(
      'Memory reached its limit of 95 % after 2 h 15 min.',
    )
    expect(await episodes.nth(1).getByRole('link').getAttribute('href')).toBe('/servers/other007')

    await page.getByText('How this was checked').click()
    const checks = panel(page).locator('details')
    expect(await checks.textContent()).toContain('removing others drawn at random by')
    expect(await page.getByTestId('attention-withheld').textContent()).toContain(
      'Not shown: the network attends most to 21 to 24 h ago',
    )
    expect(await page.getByTestId('selection-withheld').count()).toBe(0)
    expect(complaints).toEqual([])
    await leave()
  })

  test('another metric is asked for by the keyboard alone', async () => {
    const { page, leave } = await visit()
    await panel(page).getByLabel('Forecast of').focus()
    const answered = page.waitForResponse(/explanation\?metric=mem_used_pct/)
    await page.keyboard.type('Mem')
    expect((await answered).status()).toBe(200)
    await leave()
  })

  test('what fails its check is not shown, and the reason is', async () => {
    hub.withhold()
    const { page, leave } = await visit({ bypassCSP: true })
    expect(await page.getByTestId('drivers-withheld').textContent()).toContain(
      'Not shown because no single input decides it',
    )
    expect(await page.getByTestId('drivers').count()).toBe(0)
    expect(await page.getByTestId('episodes').count()).toBe(0)
    expect(await panel(page).textContent()).toContain('Nothing similar to the last 6 h')
    await page.getByText('How this was checked').click()
    expect(await page.getByTestId('selection-withheld').textContent()).toContain(
      'too few other metrics',
    )
    expect(await axeFindings(page)).toEqual([])
    await keepScreenshot(page, 'why-withheld-desktop-light')
    hub.comeBack()
    await leave()
  })

  test('what-if runs from the form, is drawn in the charts, and is taken out again', async () => {
    const { page, complaints, leave } = await visit()
    const form = page.locator('form', { hasText: 'Run the forecast again' })
    await form.getByLabel('Metric').selectOption('net_in_mb_s')
    await form.getByLabel('Change').selectOption('add')
    await form.getByLabel('Value').fill('-4.5')
    await form.getByLabel('Over the last').selectOption('240')
    await form.getByLabel('Over the last').focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByTestId('what-if-text').waitFor()
    expect(hub.supposed.at(-1)).toEqual({
      changes: [{ metric: 'net_in_mb_s', add: -4.5 }],
      minutes: 240,
    })
    expect(await page.getByTestId('what-if-risk').textContent()).toContain('12 (Healthy)')
    const row = page
      .locator('table', { hasText: 'With the change' })
      .getByRole('row', { name: 'Memory' })
    const [was, is, difference] = (await row.getByRole('cell').allTextContents()).map((text) =>
      Number.parseFloat(text.replace('−', '-')),
    )
    expect(is! - was!).toBeCloseTo(difference!, 0)
    expect(difference).toBeLessThan(0)
    const key = page.getByRole('list', { name: 'How to read the charts' })
    expect(await key.textContent()).toContain('what-if, median')
    await page.getByRole('button', { name: 'Take it out of the charts' }).click()
    expect(await key.textContent()).not.toContain('what-if')
    expect(await page.getByTestId('what-if-text').count()).toBe(0)
    expect(complaints).toEqual([])
    await leave()
  })

  test('a question that is refused says why, and leaves no old answer behind', async () => {
    const { page, leave } = await visit()
    await page.getByRole('button', { name: 'Halve CPU user' }).click()
    await page.getByTestId('what-if-text').waitFor()
    const form = page.locator('form', { hasText: 'Run the forecast again' })
    await form.getByLabel('Metric').selectOption('swap_used_pct')
    await form.getByRole('button').click()
    await page.getByRole('alert').getByText('swap_used_pct was not measured').waitFor()
    expect(await page.getByTestId('what-if-text').count()).toBe(0)
    await leave()
  })

  test.each([
    ['desktop', desktop, 'light'],
    ['desktop', desktop, 'dark'],
    ['phone', phone, 'light'],
    ['phone', phone, 'dark'],
  ] as const)(
    'nothing is wrong for axe on a %s, and nothing is cut off',
    async (size, viewport, colorScheme) => {
      const { page, leave } = await visit({ viewport, colorScheme, bypassCSP: true })
      await page.getByRole('button', { name: 'Halve CPU user' }).click()
      await page.getByTestId('what-if-text').waitFor()
      await page.getByText('How this was checked').click()
      expect(await axeFindings(page)).toEqual([])
      const wide = await page.evaluate('document.documentElement.scrollWidth')
      expect(wide).toBeLessThanOrEqual(viewport.width)
      await keepScreenshot(page, `why-${size}-${colorScheme}`)
      await leave()
    },
  )
})
