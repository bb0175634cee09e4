import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Role } from '@harbinger/shared/people-api'
import { openView } from '../../hub/src/view/view.ts'
import type { PeopleOptions } from '../../hub/src/people/people.ts'
import { fakeLog, fakeSources, serverRow } from '../view/fake-sources.ts'
import { byTest, goodPassword, loginSettings, memoryPeople } from '../view/memory-people.ts'
import {
  axeFindings,
  buildUi,
  desktop,
  findChromium,
  keepScreenshot,
  openBrowser,
  phone,
} from './browser.ts'

const found = findChromium()
const missing = 'missing' in found ? found.missing : undefined

if (missing !== undefined)
  test(`the pages about people are not tested: ${missing}`, ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(`No browser in CI: ${missing}`)
    skip(missing)
  })

describe.skipIf(missing !== undefined)('people, in a browser and at a real hub', () => {
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

  async function visit(path: string, options = {}, people: Partial<PeopleOptions> = {}) {
    const memory = memoryPeople(people)
    const demo = { scenario: 'healthy', scenarios: ['healthy', 'critical'] }
    const { sources } = fakeSources([serverRow('db01'), serverRow('web01')], {
      people: memory.people,
    })
    const view = await openView({
      sources: { ...sources, fleet: () => ({ ...sources.fleet(), demo }) },
      ...{ host: '127.0.0.1', port: 0, uiDirectory: ui.folder, log: fakeLog().log },
      stream: { checkMs: 50 },
    })
    const opened = await browser.visit('about:blank', options)
    const { accounts } = memory.people
    return {
      ...memory,
      ...opened,
      /** What the page complains of but for what a stranger is refused, which browsers always report. */
      complaints: () => opened.complaints.filter((text) => !/status of 40[139]/.test(text)),
      /** The first one is an admin: a hub takes no other. */
      async add(name: string, role: Role) {
        const user = { name, role, password: goodPassword }
        if ('refused' in (await accounts.addUser(user, byTest))) throw new Error(`no user ${name}`)
      },
      open: () => opened.page.goto(`${view.address}${path}`),
      pathOf: () => new URL(opened.page.url()).pathname + new URL(opened.page.url()).search,
      async leave() {
        await opened.leave()
        await view.close()
      },
    }
  }

  async function logIn(page: Page, name: string, password = goodPassword) {
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
  }

  test('a stranger logs in, and is where they wanted to be', async () => {
    const { page, add, open, pathOf, complaints, leave } = await visit('/servers?search=db')
    await add('root', 'admin')
    await add('ada', 'viewer')
    await open()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    expect(await page.getByRole('navigation').count()).toBe(0)
    await logIn(page, 'ada', 'not the password')
    await page.getByText('the name or the password is wrong').waitFor()
    expect(await page.getByLabel('Password').inputValue()).toBe('')
    await logIn(page, 'ada')
    await page.getByText('db01').first().waitFor()
    expect(pathOf()).toBe('/servers?search=db')
    expect(complaints()).toEqual([])
    await leave()
  })

  test('the description of the API asks for a login too, and comes after it', async () => {
    const { page, add, open, leave } = await visit('/api/docs/')
    await add('ada', 'admin')
    await open()
    await logIn(page, 'ada')
    await page.waitForURL(/\/api\/docs/)
    await page.getByText('GET', { exact: true }).first().waitFor()
    await leave()
  })

  test('when the session ends the login comes by itself, shows nothing of the fleet, and leads back', async () => {
    const { page, people, add, open, pathOf, leave } = await visit('/servers/db01')
    await add('ada', 'admin')
    await open()
    await logIn(page, 'ada')
    await page.getByRole('heading', { name: 'db01' }).waitFor()
    people.accounts.endSessions(1, byTest)
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    expect(await page.getByText('db01').count()).toBe(0)
    expect(pathOf()).toBe('/servers/db01')
    await logIn(page, 'ada')
    await page.getByRole('heading', { name: 'db01' }).waitFor()
    await page.getByTestId('link').getByText('Live', { exact: true }).waitFor()
    await leave()
  })

  test('a viewer sees why what changes something is not for them, and nothing of people', async () => {
    const { page, add, open, leave } = await visit('/models')
    await add('vic', 'admin')
    await add('ada', 'viewer')
    await open()
    await logIn(page, 'ada')
    await page.getByTestId('serving').waitFor()
    const why = 'This needs the role operator; yours is viewer.'
    expect(await page.getByTestId('barred').textContent()).toBe(why)
    for (const name of ['Train afresh', 'Train from the serving model', 'Roll back']) {
      expect(await page.getByRole('button', { name }).isDisabled(), name).toBe(true)
    }
    await page.getByRole('link', { name: 'Fleet', exact: true }).click()
    const critical = page.getByRole('button', { name: 'Critical', exact: true })
    await critical.waitFor()
    expect(await critical.isDisabled()).toBe(true)
    await page.getByTestId('user-menu').click()
    expect(await page.locator('.menu a').allTextContents()).toEqual(['Your account'])
    await page.goto(page.url().replace(/\/$/, '/people'))
    await page.getByText('This needs the role admin; yours is viewer.').waitFor()
    await leave()
  })

  test('without users it says loudly that nobody logs in; the first admin ends that', async () => {
    const { page, secret, open, complaints, leave } = await visit('/')
    await open()
    const notice = page.getByTestId('open-notice')
    await notice.waitFor()
    expect(await notice.textContent()).toMatch(/Whoever can use this machine may change everything/)
    await keepScreenshot(page, 'people-open')
    await notice.getByRole('link', { name: 'Make the first admin' }).click()
    await page.getByLabel('Set-up secret').fill('wrong')
    await page.getByLabel('Your name').fill('ada')
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByLabel('The same again').fill('another')
    await page.getByRole('button', { name: 'Make the admin' }).click()
    await page.getByText('The two passwords are not the same').waitFor()
    await page.getByLabel('The same again').fill(goodPassword)
    await page.getByRole('button', { name: 'Make the admin' }).click()
    await page.getByText('the set-up secret is wrong').waitFor()
    await page.getByLabel('Set-up secret').fill(secret.get())
    await page.getByRole('button', { name: 'Make the admin' }).click()
    await page.getByText('db01').first().waitFor()
    expect(await notice.count()).toBe(0)
    await page.getByTestId('user-menu').getByText('ada').waitFor()
    expect(complaints()).toEqual([])
    await leave()
  })

  test('an admin adds a user, changes a role, makes and revokes a token, and finds it all in the log', async () => {
    const { page, people, add, open, leave } = await visit('/people')
    await add('ada', 'admin')
    await open()
    await logIn(page, 'ada')
    await page.getByText('Add a user').click()
    const users = page.getByRole('region', { name: 'Users' }).first()
    const form = page.locator('form').filter({ hasText: 'Role' })
    await form.getByLabel('Name').fill('bob')
    await form.getByLabel('Password').fill('short')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('a password has at least 12 characters').waitFor()
    await form.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await users.getByText('bob').waitFor()
    await page.getByLabel('Role of bob').selectOption('operator')
    await expect.poll(() => people.accounts.find('bob')?.role).toBe('operator')
    await page.getByRole('button', { name: 'New password for bob' }).click()
    await page.getByLabel('New password of bob').fill('another four words here')
    await page.getByRole('button', { name: 'Set the password of bob' }).click()
    await page.getByRole('button', { name: 'New password for bob' }).waitFor()
    // The last admin cannot take that from themselves, and the page shows what holds.
    await page.getByLabel('Role of ada').selectOption('viewer')
    await page.getByText('ada is the last admin with a password').waitFor()
    expect(await page.getByLabel('Role of ada').inputValue()).toBe('admin')

    await page.getByText('Make an API token').click()
    await page.getByLabel('What will use it').fill('prometheus')
    await page.getByRole('button', { name: 'Make it' }).click()
    const token = await page.getByTestId('token').inputValue()
    const metrics = () =>
      fetch(new URL('/metrics', page.url()), { headers: { authorization: `Bearer ${token}` } })
    expect((await metrics()).status).toBe(200)
    await page.getByRole('button', { name: 'Hide' }).click()
    expect(await page.content()).not.toContain(token)
    await page.getByRole('button', { name: 'revoke prometheus' }).click()
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByRole('button', { name: 'revoke prometheus' }).click()
    await page.getByRole('button', { name: 'Yes, revoke prometheus' }).click()
    await expect.poll(async () => (await metrics()).status).toBe(401)

    await page.getByTestId('user-menu').click()
    await page.getByRole('link', { name: 'Audit log' }).click()
    await page.getByTestId('audit').waitFor()
    const text = (await page.getByTestId('audit').textContent())!.replaceAll(/\s+/g, ' ')
    for (const part of [
      'password set – bob',
      'user added – bob',
      'role changed – bob (from viewer to operator)',
    ]) {
      expect(text).toContain(part)
    }
    await page.getByRole('button', { name: 'refused' }).click()
    await page.waitForURL(/outcome=refused/)
    await leave()
  })

  test('by keyboard: the menu opens, closes with Escape where it began, and logs out', async () => {
    const { page, add, open, pathOf, leave } = await visit('/account')
    await add('ada', 'admin')
    await open()
    await page.getByLabel('Name').focus()
    await page.keyboard.type('ada')
    await page.keyboard.press('Tab')
    await page.keyboard.type(goodPassword)
    await page.keyboard.press('Enter')
    const menu = page.getByTestId('user-menu')
    await menu.focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Escape')
    expect(await page.locator('details[open] .menu').count()).toBe(0)
    expect(await page.evaluate('document.activeElement.tagName')).toBe('SUMMARY')
    await page.keyboard.press('Enter')
    for (let i = 0; i < 4; i++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    expect(pathOf()).toBe('/account')
    await leave()
  })

  // Each width and each theme once: the pages are made of what the others hold in all four.
  describe.each([
    ['desktop', 'light', desktop],
    ['phone', 'dark', phone],
  ] as const)('on a %s in %s', (size, colorScheme, viewport) => {
    const looks = { viewport, colorScheme, reducedMotion: 'reduce', bypassCSP: true }

    async function check(page: Page, name: string) {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
      await keepScreenshot(page, `people-${name}-${size}-${colorScheme}`)
      expect(await axeFindings(page)).toEqual([])
    }

    test('every page passes axe and fits the width', async () => {
      const provider = {
        ...{ issuer: 'https://id.example', clientId: 'x', clientSecret: '', hubUrl: '' },
        ...{ label: 'the company', scopes: 'openid', nameClaim: 'name', roleClaim: 'groups' },
        roles: { admin: [], operator: [], viewer: ['*'] },
      }
      const settings = { ...loginSettings, provider }
      const path = '/login?problem=no-role&next=%2Fpeople'
      const { page, people, stores, time, add, open, leave } = await visit(path, looks, {
        settings,
      })
      await add('ada', 'admin')
      await add('a.very.long.name.of.somebody@department.example', 'viewer')
      const oidc = { issuer: 'https://id.example', subject: '1' }
      stores.people.users.add({ name: 'eve', role: 'operator', at: time.now, by: 'x', ...oidc })
      const to = { by: byTest, userId: null }
      people.accounts.createToken({ name: 'prometheus', scope: 'read' }, to)
      await open()
      await page.getByText('nothing it says of you is a role here').waitFor()
      await check(page, 'login')
      await logIn(page, 'ada')
      await page.getByRole('heading', { name: 'Users and API tokens' }).waitFor()
      await page.getByText('prometheus').first().waitFor()
      await page.getByText('Add a user').click()
      await page.getByText('Make an API token').click()
      await page.getByRole('button', { name: 'remove eve' }).click()
      await check(page, 'users')
      await page.getByTestId('user-menu').click()
      await check(page, 'menu')
      await page.getByRole('link', { name: 'Your account' }).click()
      await page.getByLabel('Password now').waitFor()
      await check(page, 'account')
      await page.getByTestId('user-menu').click()
      await page.getByRole('link', { name: 'Audit log' }).click()
      await page.getByTestId('audit').waitFor()
      await check(page, 'audit')
      await leave()
    }, 60_000)

    test('the set-up page passes axe and fits the width', async () => {
      const { page, open, leave } = await visit('/', looks, { isLoopback: false })
      await open()
      await page.getByRole('heading', { name: 'Set up this hub' }).waitFor()
      await check(page, 'set-up')
      await leave()
    })
  })
})
