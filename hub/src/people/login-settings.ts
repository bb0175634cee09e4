import type { Role } from '@harbinger/shared/people-api'
import { isLoopback } from '../loopback.ts'
import type { SettingKey } from '../settings.ts'
import { positive, yesNo } from '../settings.ts'

/** How people log in, and for how long. */
export type LoginSettings = {
  /** A session that was not used for so long ends. */
  readonly idleHours: number
  /** A session ends after so long, used or not. */
  readonly hours: number
  /** On loopback nobody has to log in although there are users. */
  readonly openOnLoopback: boolean
  readonly auditDays: number
  /** Proxies whose word is taken on where a request comes from. */
  readonly trustedProxies: readonly string[]
  readonly provider: ProviderSettings | undefined
}

/** A sign-in provider that speaks OpenID Connect. */
export type ProviderSettings = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Where people reach this hub; the provider sends them back there. */
  readonly hubUrl: string
  readonly label: string
  readonly scopes: string
  readonly nameClaim: string
  readonly roleClaim: string
  /** Which values of the role's claim make which role; `*` is anybody whom the provider lets in. */
  readonly roles: { readonly [role in Role]: readonly string[] }
}

type Value = <Answer>(
  key: Extract<
    SettingKey,
    `login.${string}` | `oidc.${string}` | 'audit.days' | 'http.trustedProxies'
  >,
  check: (text: string) => Answer | undefined,
) => Answer

const list = (given: string): readonly string[] =>
  given
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
const any = (given: string): string => given

/**
 * Whether nobody but this machine reaches the hub. More names than its own, or a proxy, say that others do although it
 * listens on loopback.
 */
export const isLoopbackOnly = ({
  http,
  tls,
  login,
}: {
  readonly http: { readonly host: string; readonly allowedHosts: readonly string[] }
  readonly tls?: { readonly names: readonly string[] } | undefined
  readonly login: Pick<LoginSettings, 'trustedProxies'>
}): boolean =>
  isLoopback(http.host) &&
  http.allowedHosts.length === 0 &&
  (tls?.names ?? []).every(isLoopback) &&
  login.trustedProxies.length === 0

/** https, or http to this very machine; without a slash at the end. */
function url(given: string): string | undefined {
  if (given === '') return ''
  if (!URL.canParse(given)) return undefined
  const { protocol, hostname, search, hash } = new URL(given)
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  return isSafe && search === '' && hash === '' ? given : undefined
}

/** Reads what the configuration says of logging in; what is missing of the provider goes into `mistakes`. */
export function readLogin(value: Value, mistakes: string[]): LoginSettings {
  return {
    idleHours: value('login.idleHours', positive),
    hours: value('login.hours', positive),
    openOnLoopback: value('login.openOnLoopback', yesNo),
    auditDays: value('audit.days', positive),
    trustedProxies: value('http.trustedProxies', list),
    provider: readProvider(value, mistakes),
  }
}

function readProvider(value: Value, mistakes: string[]): ProviderSettings | undefined {
  const provider = {
    issuer: value('oidc.issuer', url),
    clientId: value('oidc.clientId', any),
    clientSecret: value('oidc.clientSecret', any),
    hubUrl: value('oidc.hubUrl', url).replace(/\/+$/, ''),
    label: value('oidc.label', any),
    scopes: value('oidc.scopes', any),
    nameClaim: value('oidc.nameClaim', any),
    roleClaim: value('oidc.roleClaim', any),
    roles: {
      admin: value('oidc.admins', list),
      operator: value('oidc.operators', list),
      viewer: value('oidc.viewers', list),
    },
  }
  if (provider.issuer === '') return undefined
  if (provider.clientId === '') mistakes.push('oidc.issuer is set, so oidc.clientId must be too')
  if (provider.hubUrl === '') {
    mistakes.push('oidc.issuer is set, so oidc.hubUrl must be too: where people reach this hub')
  }
  if (Object.values(provider.roles).every((values) => values.length === 0)) {
    mistakes.push(
      'oidc.issuer is set, but no value of the claim makes a role: set oidc.viewers, oidc.operators or oidc.admins',
    )
  }
  return provider
}

/** As `printConfig` shows it. */
export const shownLogin = ({ provider, ...login }: LoginSettings) => ({
  'http.trustedProxies': login.trustedProxies.join(','),
  'login.idleHours': login.idleHours,
  'login.hours': login.hours,
  'login.openOnLoopback': login.openOnLoopback ? 'yes' : 'no',
  'audit.days': login.auditDays,
  'oidc.issuer': provider?.issuer ?? '',
  'oidc.clientId': provider?.clientId ?? '',
  'oidc.clientSecret': provider?.clientSecret ?? '',
  'oidc.hubUrl': provider?.hubUrl ?? '',
  'oidc.label': provider?.label ?? '',
  'oidc.scopes': provider?.scopes ?? '',
  'oidc.nameClaim': provider?.nameClaim ?? '',
  'oidc.roleClaim': provider?.roleClaim ?? '',
  'oidc.admins': provider?.roles.admin.join(',') ?? '',
  'oidc.operators': provider?.roles.operator.join(',') ?? '',
  'oidc.viewers': provider?.roles.viewer.join(',') ?? '',
})
