import { isServerName } from './server.ts'

/** The version in the topic is the version of the protocol (docs/protocol.md). */
export const topicRoot = 'harbinger/v1'

export const topicKinds = [
  'samples',
  'backlog',
  'status',
  'ack',
  'config',
  'inventory',
  'alert',
] as const

export type TopicKind = (typeof topicKinds)[number]

/** What only an agent writes, and only under its own name. */
export const agentTopicKinds = ['samples', 'backlog', 'status', 'inventory'] as const

/** What only the hub writes. */
export const hubTopicKinds = ['ack', 'config', 'alert'] as const

export const topic = (server: string, kind: TopicKind): string => `${topicRoot}/${server}/${kind}`

/** Every server's topic of one kind, for the hub's subscription. */
export const topicFilter = (kind: TopicKind): string => `${topicRoot}/+/${kind}`

/** Undefined for a topic that is not ours. */
export function readTopic(
  text: string,
): { readonly server: string; readonly kind: TopicKind } | undefined {
  if (!text.startsWith(`${topicRoot}/`)) return undefined
  const [server, kind, ...rest] = text.slice(topicRoot.length + 1).split('/')
  if (server === undefined || kind === undefined || rest.length > 0) return undefined
  if (!isServerName(server) || !(topicKinds as readonly string[]).includes(kind)) return undefined
  return { server, kind: kind as TopicKind }
}

/** The reason in a last will: the connection ended without a goodbye. Here and not beside its schema, which would cost an agent 3 MB. */
export const lostReason = 'connection lost'
