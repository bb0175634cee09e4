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
  test(`late, offline and retired servers are not tested: ${missing}`, ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(`No browser in CI: ${missing}`)
    skip(missing)
  })

/** What the made-up fleet has one of each of. */
const names = { offline: 'ppweb004', late: 'ppdb005', never: 'ppcon005', conflict: 'host006' }

describe.skipIf(missing !== undefined)('a server that is not heard, in a browser', () => {
  let ui: ReturnType<typeof buildUi>
  let browser: Awaited<ReturnType<typeof openBrowser>>
  let hub: Awaited<ReturnType<typeof openMockHub>>

  beforeAll(async () => {
    ui = buildUi()
    browser = await openBrowser((found as { path: string }).path)
  })
  afterAll(async () => {
    await browser?.close()
    ui?.remove()
  })

  async function visit(path: string, options = {}) {
    hub = await openMockHub(ui.folder, 90)
    const visit = await browser.visit(`${hub.url}${path}`, options)
    const leave = async () => {
      await visit.leave()
      await hub.close()
    }
    return { ...visit, leave }
  }
  const label = (page: Page, name: string) =>
    page.locator(`a.cell[data-name="${name}"]`).getAttribute('aria-label')

  test('says so on the map with the reason, and is counted', async () => {
    const { page, complaints, leave } = await visit('/')
    await page.locator('a.cell').first().waitFor()
    expect(await label(page, names.offline)).toContain(
      'offline: connection lost, not heard for 47 min',
    )
    expect(await label(page, names.late)).toContain(
      'late: its agent is connected, but no sample came for 47 min',
    )
    expect(await label(page, names.never)).toContain('offline: never heard')
    expect(await label(page, names.conflict)).toContain('two live agents use this name')
    await page.getByRole('button', { name: '2 offline' }).click()
    await page.getByText('2 of 90 servers').waitFor()
    await page.getByRole('button', { name: '2 offline' }).click()
    await page.getByRole('button', { name: '1 with two agents' }).click()
    await page.getByText('1 of 90 servers').waitFor()
    await page.getByRole('button', { name: '1 with two agents' }).click()
    await page.getByRole('button', { name: '1 late' }).click()
    await page.getByText('1 of 90 servers').waitFor()
    expect(complaints).toEqual([])
    await leave()
  })

  test('keeps its last values in the table, with their age', async () => {
    const { page, leave } = await visit(`/servers?search=${names.offline}`)
    const row = page.getByRole('row', { name: names.offline })
    await row.getByText('offline', { exact: true }).waitFor()
    const text = (await row.textContent())!
    expect(text).toMatch(/\d+\.\d.% ?, as it was last heard/)
    expect(text).toContain('47 min ago')
    expect(text).not.toContain('↗')
    await leave()
  })

  test.each([
    ['desktop', desktop],
    ['phone', phone],
  ])('keeps its last values on its page, with their age, on a %s', async (size, viewport) => {
    const { page, leave, complaints } = await visit(`/servers/${names.offline}`, {
      viewport,
      bypassCSP: true,
    })
    await page.getByText('offline: connection lost, not heard for 47 min').waitFor()
    const memory = page.locator('figure[data-metric="mem_used_pct"]')
    await memory.getByText('No forecast: offline').waitFor()
    expect(await memory.locator('.now').textContent()).toMatch(/\d+\.\d.%\s+47 min ago/)
    expect(await page.getByRole('heading', { name: 'What if' }).count()).toBe(0)
    await keepScreenshot(page, `server-offline-${size}`)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
    expect(await axeFindings(page)).toEqual([])
    expect(complaints).toEqual([])
    await leave()
  })

  test.each([
    ['desktop', desktop],
    ['phone', phone],
  ])('two agents of one name are both shown, with what to do, on a %s', async (size, viewport) => {
    const { page, leave } = await visit(`/servers/${names.conflict}`, { viewport, bypassCSP: true })
    const notice = page.getByTestId('conflict')
    await notice.getByText('the agent at 10.0.0.7').waitFor()
    expect(await notice.textContent()).toMatch(/an agent at 10\.0\.0\.8.*refused 17.*times/s)
    expect(await notice.textContent()).toContain('a name of its own')
    await notice.scrollIntoViewIfNeeded()
    await keepScreenshot(page, `server-conflict-${size}`)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
    expect(await axeFindings(page)).toEqual([])
    await leave()
  })

  test('is retired after asking, with its certificate, and taken back in Settings', async () => {
    const { page, leave, complaints } = await visit(`/servers/${names.offline}`)
    const retire = page.getByRole('button', { name: `Retire ${names.offline} …` })
    await retire.click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Leave it as it is' }).click()
    expect(hub.asked.filter((asked) => asked.startsWith('POST'))).toEqual([])
    await retire.click()
    await dialog.getByLabel('Why').fill('sold')
    expect(await dialog.getByRole('checkbox').isChecked()).toBe(true)
    await keepScreenshot(page, 'retire-dialog')
    await dialog.getByRole('button', { name: 'Retire', exact: true }).click()
    await page.getByText(/Left the fleet .*, by ada: sold/).waitFor()
    expect(hub.asked.filter((asked) => asked.startsWith('POST'))).toEqual([
      `POST /api/v1/agents/${names.offline}/revoke`,
      `POST /api/v1/servers/${names.offline}/retire`,
    ])
    await page.goto(`${hub.url}/settings`)
    const row = page.getByRole('row', { name: names.offline })
    expect(await row.textContent()).toMatch(/ada\s*sold\s*revoked/)
    await row.getByRole('button', { name: `Take back ${names.offline}` }).click()
    await page.getByText('None.').waitFor()
    expect(complaints).toEqual([])
    await leave()
  })

  test('a server that is heard, and one who may only look, retire nothing', async () => {
    const { page, leave } = await visit(`/servers/ppml001`)
    const heard = page.getByRole('button', { name: 'Retire ppml001 …' })
    await heard.waitFor()
    expect(await heard.isDisabled()).toBe(true)
    hub.actAs('viewer')
    await page.goto(`${hub.url}/servers/${names.offline}`)
    const barred = page.getByRole('button', { name: `Retire ${names.offline} …` })
    await barred.waitFor()
    expect(await barred.isDisabled()).toBe(true)
    expect(await barred.getAttribute('title')).toContain('needs the role operator')
    await leave()
  })
})
