import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

export type Person = {
  readonly sub: string
  readonly preferred_username: string
  readonly groups: readonly string[]
}

export const clientId = 'harbinger'
export const clientSecret = 'a secret of the test'

/** A real OpenID provider on loopback where whoever `current` names is signed in without a question. */
export async function openProvider(redirect: string) {
  const people = new Map<string, Person>()
  let current = ''
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirect] },
        grant_types: ['authorization_code'],
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'groups'],
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    cookies: { keys: ['a key of the test'] },
    ttl: { Session: 60, Grant: 60, AccessToken: 60, IdToken: 60, Interaction: 60 },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ ...people.get(sub)! }) }),
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        ...{ clientId: oidc.client!.clientId, accountId: oidc.session!.accountId! },
      })
      grant.addOIDCScope('openid profile groups')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (!request.url!.startsWith('/interaction/')) return void answer(request, response)
    const login = { accountId: current }
    void provider.interactionFinished(request, response, { login })
  })

  return {
    issuer,
    knows(person: Person): void {
      people.set(person.sub, person)
      current = person.sub
    },
    /** As a browser would: to the provider, through it, until it sends back; answers the address it sends to. */
    async pass(url: string): Promise<URL> {
      const jar = new Map<string, string>()
      let next = url
      for (let hop = 0; hop < 10 && next.startsWith(issuer); hop++) {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
        const found = await fetch(next, { redirect: 'manual', headers: { cookie } })
        for (const line of found.headers.getSetCookie()) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
          jar.set(name!, value!)
        }
        const location = found.headers.get('location')
        if (!location)
          throw new Error(`the provider answered ${found.status}: ${await found.text()}`)
        next = new URL(location, issuer).href
      }
      return new URL(next)
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
