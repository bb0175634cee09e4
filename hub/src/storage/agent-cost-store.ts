import type { AgentReadings } from '@harbinger/shared/sample'
import type { Database } from './database.ts'

export type AgentCostStore = ReturnType<typeof agentCostStore>

/** What each agent last said of itself: its cost and its spool. */
export function agentCostStore(db: Database) {
  const put = db.prepare(
    `INSERT INTO agent_costs (server_id, at, readings) VALUES (?, ?, ?)
     ON CONFLICT (server_id) DO UPDATE SET at = excluded.at, readings = excluded.readings`,
  )
  const get = db.prepare<[number], { at: number; readings: string }>(
    'SELECT at, readings FROM agent_costs WHERE server_id = ?',
  )

  return {
    keep: (serverId: number, at: number, readings: AgentReadings): void =>
      void put.run(serverId, at, JSON.stringify(readings)),

    /** Undefined for an agent that never said anything of itself. */
    last(serverId: number): { readonly at: number; readonly readings: AgentReadings } | undefined {
      const row = get.get(serverId)
      return row && { at: row.at, readings: JSON.parse(row.readings) as AgentReadings }
    },
  }
}
