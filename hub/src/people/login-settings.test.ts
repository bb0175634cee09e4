import { expect, test } from 'vitest'
import { isLoopbackOnly } from './login-settings.ts'

const here = { http: { host: '127.0.0.1', allowedHosts: [] }, login: { trustedProxies: [] } }

test('only a hub that says nowhere that others reach it is for this machine alone', () => {
  expect(isLoopbackOnly(here)).toBe(true)
  expect(isLoopbackOnly({ ...here, tls: { names: [] } })).toBe(true)
  expect(isLoopbackOnly({ ...here, tls: { names: ['localhost', '::1'] } })).toBe(true)
  expect(isLoopbackOnly({ ...here, tls: { names: ['localhost', 'hub.example'] } })).toBe(false)
  expect(isLoopbackOnly({ ...here, http: { ...here.http, host: '::1' } })).toBe(true)
  expect(isLoopbackOnly({ ...here, http: { ...here.http, host: '0.0.0.0' } })).toBe(false)
  expect(isLoopbackOnly({ ...here, http: { ...here.http, allowedHosts: ['hub'] } })).toBe(false)
  expect(isLoopbackOnly({ ...here, login: { trustedProxies: ['127.0.0.1'] } })).toBe(false)
})
