import { agentTopicKinds, readTopic, topicRoot } from '@harbinger/shared/topics'
import { type Session, speaksFor } from './sessions.ts'

const forEveryone = /^harbinger\/v1\/[^/#]+\/alert$/
const forFleets = new RegExp(`^${topicRoot}/\\+/(ack|config)$`)

/** An agent hears what the hub says to it; alerts are for everyone; samples are for the hub alone. */
export function mayHear(session: Session, filter: string): boolean {
  if (forEveryone.test(filter)) return true
  if (session.isFleet && forFleets.test(filter)) return true
  const ours = readTopic(filter)
  if (!ours || (ours.kind !== 'ack' && ours.kind !== 'config')) return false
  return speaksFor(session, ours.server)
}

/** The server and kind of a message this client may send; undefined when it is not its topic. */
export function maySay(session: Session, topic: string) {
  const ours = readTopic(topic)
  if (!ours || !(agentTopicKinds as readonly string[]).includes(ours.kind)) return undefined
  if (!speaksFor(session, ours.server)) return undefined
  return { server: ours.server, kind: ours.kind as (typeof agentTopicKinds)[number] }
}
