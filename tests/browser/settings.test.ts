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
  test(`the settings page is not tested: ${missing}`, ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(`No browser in CI: ${missing}`)
    skip(missing)
  })

describe.skipIf(missing !== undefined)('the settings page in a browser', () => {
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
    const hub = await openMockHub(ui.folder, 3)
    const visit = await browser.visit(`${hub.url}/settings`, options)
    await visit.page.getByRole('heading', { name: 'Install an agent' }).waitFor()
    const leave = async () => {
      await visit.leave()
      await hub.close()
    }
    return { ...visit, hub, leave }
  }

  test('makes a token and shows the line for it', async () => {
    const { page, complaints, leave } = await visit()
    await page.getByLabel('Servers', { exact: true }).fill('12')
    const install = page.getByRole('region', { name: 'Install an agent' })
    await install.getByLabel('Profile').selectOption('database')
    await page.getByLabel('Tags').fill('berlin, oracle')
    await page.getByRole('button', { name: 'Make a token' }).click()
    const line = page.getByTestId('line')
    await line.waitFor()
    expect(await line.textContent()).toMatch(
      /^harbinger-agent join https:\/\/hub.example:8443 --token hbt_\S+ --ca-sha256 (ab){32}$/,
    )
    const row = page.getByRole('row', { name: /n1e2w3t4/ })
    expect(await row.textContent()).toMatch(/usable.*0 of 12.*database, berlin, oracle/s)
    await page.getByRole('button', { name: 'Copy the line' }).click()
    expect(complaints).toEqual([])
    await leave()
  })

  test('revoking an agent asks once more, and then says since when', async () => {
    const { page, hub, leave } = await visit()
    await page.getByRole('button', { name: 'Revoke ppdb001' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Leave it as it is' }).click()
    expect(hub.asked).not.toContain('POST /api/v1/agents/ppdb001/revoke')
    await page.getByRole('button', { name: 'Revoke ppdb001' }).click()
    await dialog.getByRole('button', { name: 'Revoke', exact: true }).click()
    const row = page.getByRole('row', { name: /ppdb001/ })
    await row.getByText(/^revoked/).waitFor()
    await row.getByRole('button', { name: 'Let join again: ppdb001' }).click()
    await row.getByText('may join once more').waitFor()
    await leave()
  })

  test('a token can be ended', async () => {
    const { page, leave } = await visit()
    await page.getByRole('button', { name: 'Revoke token k3x9q2ab' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
    await page
      .getByRole('row', { name: /k3x9q2ab/ })
      .getByText('revoked')
      .first()
      .waitFor()
    await leave()
  })

  test('what an interval does is told before it can be saved', async () => {
    const { page, hub, complaints, leave } = await visit()
    const panel = page.getByRole('region', { name: 'Sampling interval' })
    const effect = panel.getByTestId('effect')
    const save = panel.getByRole('button', { name: 'Save the rule' })
    expect(await save.isDisabled()).toBe(true)
    await panel.getByLabel('Which tag').fill('rack-12')
    await panel.getByLabel('Seconds between samples').fill('1')
    await effect
      .getByText(
        '12 servers: now 31 MB a day, then 310 MB a day, measured over the last hour from 12 of 12 servers. For 3 servers more another rule decides.',
      )
      .waitFor()
    await effect.getByText(/not counted are TLS, TCP and IP headers/).waitFor()
    // What is no interval cannot be saved, and nothing is told of it.
    await panel.getByLabel('Seconds between samples').fill('301')
    expect(await save.isDisabled()).toBe(true)
    expect(await effect.textContent()).not.toContain('MB')
    await panel.getByLabel('Seconds between samples').fill('1')
    await effect.getByText(/310 MB/).waitFor()
    expect(hub.asked).not.toContain('PUT /api/v1/intervals')
    await save.click()
    const row = panel.getByRole('row', { name: /Tag rack-12/ })
    await row.waitFor()
    expect(await row.textContent()).toMatch(
      /1 s.*decides for 12 of 15; 12 have not followed yet.*by ada/s,
    )
    await effect.getByText('Saved: tag rack-12, 1 s.').waitFor()
    expect(complaints).toEqual([])
    await leave()
  })

  test('what is not known of an interval is said, and not made up', async () => {
    const { page, leave } = await visit()
    const panel = page.getByRole('region', { name: 'Sampling interval' })
    const effect = panel.getByTestId('effect')
    await panel.getByLabel('Which tag').fill('quiet')
    await effect.getByText(/bytes a day are unknown/).waitFor()
    await panel.getByLabel('Which tag').fill('paris')
    await effect.getByText('No server has this tag').waitFor()
    await leave()
  })

  test('a rule is changed from its row, and removed after what that does was told', async () => {
    const { page, hub, leave } = await visit()
    const panel = page.getByRole('region', { name: 'Sampling interval' })
    await panel.getByRole('button', { name: 'Change the interval of server web-1' }).click()
    expect(await panel.getByLabel('Which server').inputValue()).toBe('web-1.example')
    await panel.getByLabel('Seconds between samples').fill('60')
    await panel
      .getByTestId('effect')
      .getByText(/a day, then/)
      .waitFor()
    await panel.getByRole('button', { name: 'Save the rule' }).click()
    await panel.getByRole('row', { name: /web-1.example 60 s/ }).waitFor()

    await panel.getByRole('button', { name: 'Remove the rule for tag berlin' }).click()
    const dialog = page.getByRole('dialog', { name: 'Remove the rule for tag berlin' })
    await dialog.getByText('now 31 MB a day, then 31 MB a day').waitFor()
    expect(hub.asked).not.toContain('DELETE /api/v1/intervals')
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
    await panel.getByRole('row', { name: /Tag berlin/ }).waitFor({ state: 'detached' })
    await leave()
  })

  test('what a role may not do is disabled and says why', async () => {
    const { page, hub, leave } = await visit()
    hub.actAs('operator')
    await page.reload()
    await page.getByText('This needs the role admin; yours is operator.').first().waitFor()
    await page.getByRole('region', { name: 'Sampling interval' }).getByLabel('Which tag').fill('x')
    await page.getByTestId('effect').getByText(/31 MB/).waitFor()
    const barred = ['Make a token', 'Revoke token k3x9q2ab', 'Revoke ppdb001', 'Save the rule']
    for (const name of [...barred, 'Remove the rule for tag berlin']) {
      expect(await page.getByRole('button', { name }).isDisabled(), name).toBe(true)
    }
    hub.actAs('viewer')
    const before = hub.asked.length
    await page.reload()
    await page.getByText('This needs the role operator; yours is viewer.').waitFor()
    expect(hub.asked.slice(before)).not.toContain('GET /api/v1/tokens')
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
      await page.getByRole('button', { name: 'Make a token' }).click()
      await page.getByTestId('line').waitFor()
      await page.getByLabel('Which tag').fill('rack-12')
      await page.getByTestId('effect').getByText(/31 MB/).waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
      const tops = `[...document.querySelectorAll('header nav a')].map((a) => a.offsetTop)`
      expect(new Set((await page.evaluate(tops)) as number[]).size).toBe(1)
      await keepScreenshot(page, `settings-${size}-${colorScheme}`)
      expect(await axeFindings(page)).toEqual([])
      await leave()
    },
  )
})
