/** Semver of the contract between agent, hub, trainer and model; a peer with another major is refused. */
export const contractVersion = '1.0.0'

/** One version for all parts (ADR 12). */
export const productVersion = '0.1.0'

/** Undefined when a peer with `version` can be understood, else a sentence that names both versions. */
export function contractMismatch(version: string): string | undefined {
  const [major] = version.split('.')
  const [ours] = contractVersion.split('.')
  return major === ours
    ? undefined
    : `contract ${version} is not understood here, this side speaks ${contractVersion}: upgrade the older one`
}
