/** What the tests use of the provider; it comes without types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  type Grant = { addOIDCScope(scope: string): void; save(): Promise<string> }
  type Context = {
    readonly oidc: {
      readonly provider: Provider
      readonly client?: { readonly clientId: string }
      readonly session?: { readonly accountId?: string }
    }
  }
  type Settings = {
    readonly [name: string]: unknown
    readonly interactions: {
      readonly url: (context: Context, interaction: { readonly uid: string }) => string
    }
    readonly findAccount: (context: Context, subject: string) => object
    readonly loadExistingGrant: (context: Context) => Promise<Grant>
    readonly pkce: object
  }

  // eslint-disable-next-line no-restricted-syntax -- it is how the package is
  export default class Provider {
    constructor(issuer: string, settings: Settings)
    readonly Grant: new (of: { clientId: string; accountId: string }) => Grant
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
    ): Promise<void>
  }
}
