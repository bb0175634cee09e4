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
  test(`the models page is not tested: ${missing}`, ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(`No browser in CI: ${missing}`)
    skip(missing)
  })

describe.skipIf(missing !== undefined)('the models page in a browser', () => {
  let ui: ReturnType<typeof buildUi>
  let browser: Awaited<ReturnType<typeof openBrowser>>

  beforeAll(async () => {
    ui = buildUi()
    browser = await openBrowser((found as { path: string }).path)
  })
  afterAll(async () => {
    await browser?.close()
    ui?.remove()
  })

  async function visit(options = {}) {
    const hub = await openMockHub(ui.folder, 90)
    const visit = await browser.visit(`${hub.url}/models`, options)
    await visit.page.getByTestId('serving').waitFor()
    const leave = async () => {
      await visit.leave()
      await hub.close()
    }
    return { ...visit, hub, leave }
  }

  test('says what serves, on what it was trained, how good it was, and what else there is', async () => {
    const { page, complaints, leave } = await visit()
    expect(await page.getByTestId('serving').textContent()).toBe('tft-second')
    const text = (await page.locator('main').textContent())!.replaceAll(/\s+/g, ' ')
    expect(text).toContain('Trained on own history: 74 servers, 2026-02-06 to 2026-02-18')
    expect(text).toContain('0.893 times that of the best baseline: 10.7 % better')
    expect(text).toContain('Refused: models/broken: weights.bin has SHA-256')
    expect(text).toContain('tft-second promoted by hub: every condition holds')
    const states = page.getByTestId('conditions').locator('li')
    expect(
      await states.evaluateAll((all) => all.map((one) => one.getAttribute('data-state'))),
    ).toEqual(['holds', 'fails', 'unknown'])
    expect(complaints).toEqual([])
    await leave()
  })

  test('a promotion against the conditions needs a reason, which stays with the decision', async () => {
    const { page, leave } = await visit()
    await page.getByRole('button', { name: 'Promote tft-third' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Promote', exact: true }).click()
    // Without a reason nothing is sent.
    expect(await page.getByTestId('serving').textContent()).toBe('tft-second')
    await dialog.getByLabel('Why nevertheless').fill('the fleet was rebuilt')
    await dialog.getByRole('button', { name: 'Promote', exact: true }).click()
    await page.getByTestId('serving').getByText('tft-third').waitFor()
    expect(await page.locator('main').textContent()).toContain('forced: the fleet was rebuilt')
    await leave()
  })

  test('rolling back asks once more, and a refusal is told in the hub’s words', async () => {
    const { page, hub, leave } = await visit()
    await page.getByRole('button', { name: 'Roll back to tft-base' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Leave it as it is' }).click()
    expect(hub.asked).not.toContain('POST /api/v1/models/rollback')
    await page.getByRole('button', { name: 'Roll back to tft-base' }).click()
    await dialog.getByLabel('Why').fill('false alarms')
    await dialog.getByRole('button', { name: 'Roll back', exact: true }).click()
    await page.getByTestId('serving').getByText('tft-base').waitFor()
    hub.goDown()
    await page.getByRole('button', { name: 'Train afresh' }).click()
    await page.getByText('the hub is down').first().waitFor()
    await leave()
  })

  test('a training shows its progress and its loss curve as they come, and can be cancelled', async () => {
    const { page, leave } = await visit()
    await page.getByRole('button', { name: 'Train from the serving model' }).click()
    const line = page.getByTestId('training')
    await line.waitFor()
    expect(await line.textContent()).toMatch(/from serving:\s+training, \d+ %, step \d+ of 400/)
    const path = page.locator('path.judged')
    await path.waitFor({ state: 'attached' })
    const before = await path.getAttribute('d')
    await page.locator(`path.judged:not([d="${before}"])`).waitFor({ state: 'attached' })
    await keepScreenshot(page, 'models-training')
    await page.getByRole('button', { name: 'Cancel training' }).click()
    await page.getByText('Training 4: cancelled').waitFor()
    await leave()
  })

  test.each([
    ['desktop', desktop, 'light'],
    ['desktop', desktop, 'dark'],
    ['phone', phone, 'light'],
    ['phone', phone, 'dark'],
  ] as const)(
    'on a %s in %s passes axe and fits the width',
    async (size, viewport, colorScheme) => {
      const { page, leave } = await visit({
        ...{ viewport, colorScheme, reducedMotion: 'reduce', bypassCSP: true },
      })
      await page.getByTestId('link').getByText('Live', { exact: true }).waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
      await keepScreenshot(page, `models-${size}-${colorScheme}`)
      expect(await axeFindings(page)).toEqual([])
      await leave()
    },
  )
})
