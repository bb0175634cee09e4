import type { Role } from '@harbinger/shared/people-api'
import type { LightMyRequestResponse } from 'fastify'
import type { PeopleOptions } from '../../hub/src/people/people.ts'
import { hashOf, newSecret } from '../../hub/src/people/secrets.ts'
import { viewApp, type ViewAppOptions } from '../../hub/src/view/view-app.ts'
import { fakeLog, fakeSources, serverRow } from '../view/fake-sources.ts'
import { byTest, memoryPeople } from '../view/memory-people.ts'

export const host = 'localhost'

type Ask = {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE' | 'PUT' | 'OPTIONS'
  readonly url: string
  readonly body?: object
  readonly session?: string | undefined
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly from?: string
}

/** What a hub answers over HTTP, with users in memory. */
export async function openPeopleView(
  options: Partial<PeopleOptions> = {},
  view: Partial<ViewAppOptions> = {},
) {
  const memory = memoryPeople(options)
  const { log, lines } = fakeLog()
  const { app, routes } = await viewApp({
    sources: fakeSources([serverRow('db01')], { people: memory.people }).sources,
    ...{ host, log, uiDirectory: '/nowhere', hstsSeconds: 31_536_000, ...view },
  })
  const { users, sessions } = memory.stores.people

  return {
    ...memory,
    ...{ app, routes, lines },
    ask({ method = 'GET', url, body, session, token, headers = {}, from }: Ask) {
      return app.inject({
        ...{ method, url },
        ...(from !== undefined && { remoteAddress: from }),
        headers: {
          host,
          ...(body && { 'content-type': 'application/json' }),
          ...(session !== undefined && { cookie: `other=1; harbinger-session=${session}` }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body && { payload: JSON.stringify(body) }),
      })
    },
    /** Logged in without a password, which takes no time: the user is made when there is none. */
    enter(name: string, role: Role): string {
      const known = users.find(name)
      const made =
        known ?? users.add({ name, role, password: 'none', at: memory.time.now, by: byTest.who })!
      if (known) users.setRole(known.id, role)
      const session = newSecret()
      sessions.begin(hashOf(session), made.id, memory.time.now)
      return session
    },
    audited: () => memory.people.audit.page({ limit: 500 }),
    close: () => app.close(),
  }
}

/** The session that an answer sets; undefined when it sets none. */
export const sessionOf = ({ headers }: Pick<LightMyRequestResponse, 'headers'>) =>
  /harbinger-session=([\w-]+)/.exec(String(headers['set-cookie']))?.[1]
