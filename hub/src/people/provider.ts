import type { Role } from '@harbinger/shared/people-api'
import * as oidc from 'openid-client'
import type { ProviderSettings } from './login-settings.ts'

export type SignedIn = {
  readonly issuer: string
  readonly subject: string
  readonly name: string
  /** Undefined: nothing in the claim makes a role. */
  readonly role: Role | undefined
}

/** What must come back with a person who was sent to the provider. */
export type Departure = {
  readonly url: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export type Provider = ReturnType<typeof signInProvider>

export const callbackPath = '/api/v1/oidc/callback'
const timeoutSeconds = 10
/** The provider's keys and addresses are looked up again after so long. */
const knownForMs = 3_600_000

/**
 * Signing in at a provider: authorization code with PKCE (S256), state and nonce; issuer, audience, signature and
 * times of the ID token are checked by openid-client.
 */
export function signInProvider(settings: ProviderSettings, now: () => number) {
  const redirect = `${settings.hubUrl}${callbackPath}`
  let known:
    { readonly at: number; readonly configuration: Promise<oidc.Configuration> } | undefined

  function configuration(): Promise<oidc.Configuration> {
    if (known && now() - known.at < knownForMs) return known.configuration
    const { issuer, clientId, clientSecret } = settings
    const found = oidc.discovery(
      new URL(issuer),
      clientId,
      undefined,
      clientSecret === '' ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
      {
        timeout: timeoutSeconds,
        // The configuration lets http pass on loopback only.
        ...(issuer.startsWith('http:') && { execute: [oidc.allowInsecureRequests] }),
      },
    )
    known = { at: now(), configuration: found }
    found.catch(() => (known = undefined))
    return found
  }

  async function depart(): Promise<Departure> {
    const verifier = oidc.randomPKCECodeVerifier()
    const state = oidc.randomState()
    const nonce = oidc.randomNonce()
    const url = oidc.buildAuthorizationUrl(await configuration(), {
      ...{ redirect_uri: redirect, scope: settings.scopes, state, nonce },
      ...{ code_challenge_method: 'S256' },
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    })
    return { url: url.href, state, nonce, verifier }
  }

  /** Who came back; `search` is the query they came with. Throws when anything about it is not as it must be. */
  async function arrive(
    search: string,
    { state, nonce, verifier }: Omit<Departure, 'url'>,
  ): Promise<SignedIn> {
    const config = await configuration()
    const tokens = await oidc.authorizationCodeGrant(config, new URL(`${redirect}${search}`), {
      ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
      idTokenExpected: true,
    })
    const said = tokens.claims()
    if (!said) throw new Error('the provider sent no ID token')
    // Many providers tell groups only when asked; the answer must be of the same subject.
    const more = config.serverMetadata().userinfo_endpoint
      ? await oidc.fetchUserInfo(config, tokens.access_token, said.sub)
      : {}
    const claims: Record<string, unknown> = { ...more, ...said }
    const name = [claims[settings.nameClaim], claims['email'], said.sub].find(
      (claim) => typeof claim === 'string' && claim !== '',
    ) as string
    return { issuer: said.iss, subject: said.sub, name, role: roleOf(claims, settings) }
  }

  return { label: settings.label, depart, arrive }
}

/** The highest role that a value of the claim makes. A claim is one value or a list; of a path each part is a name. */
export function roleOf(
  claims: { readonly [claim: string]: unknown },
  { roleClaim, roles }: Pick<ProviderSettings, 'roleClaim' | 'roles'>,
): Role | undefined {
  // "realm_access.roles" is how some providers nest it; a claim with dots in its own name comes first.
  const nested = (): unknown =>
    roleClaim
      .split('.')
      .reduce<unknown>(
        (inner, part) =>
          typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
            ? (inner as Record<string, unknown>)[part]
            : undefined,
        claims,
      )
  const claim = Object.hasOwn(claims, roleClaim) ? claims[roleClaim] : nested()
  const values = new Set([claim].flat().filter((value) => typeof value === 'string'))
  const makes = (wanted: readonly string[]) =>
    wanted.some((value) => value === '*' || values.has(value))
  return (['admin', 'operator', 'viewer'] as const).find((role) => makes(roles[role]))
}
