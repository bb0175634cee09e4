/** What both sides of an enrolment have to write alike. No schemas: the agent carries this, and memory counts there. */

/** What an agent signs with the key it has, to be given a certificate for its next one. */
export const renewalStatement = (request: string): string =>
  `harbinger certificate renewal\n${request}`

/** What an agent signs to ask whether it is let in: it shows that the certificate is its own, and changes nothing. */
export const checkStatement = (certificateSha256: string): string =>
  `harbinger certificate check\n${certificateSha256}`

/** The one line that makes a server an agent: where the hub is, what lets the server in, what proves the hub. */
export const joinLine = ({
  hub,
  token,
  caSha256,
}: {
  readonly hub: string
  readonly token: string
  readonly caSha256: string | null
}): string =>
  `harbinger-agent join ${hub} --token ${token}${caSha256 === null ? '' : ` --ca-sha256 ${caSha256}`}`

export const maxTokenHours = 24 * 365
export const maxTokenUses = 100_000
