/**
 * The steps from an empty file to today's tables. Frozen: a step that was released is never edited, a change is a
 * new step. `user_version` counts the steps done.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE servers (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL,
     key TEXT NOT NULL UNIQUE,
     operator_profile TEXT,
     agent_profile TEXT,
     simulated INTEGER NOT NULL DEFAULT 0,
     cores INTEGER,
     inventory TEXT,
     status TEXT NOT NULL DEFAULT 'unknown',
     status_reason TEXT,
     unknown_readings INTEGER NOT NULL DEFAULT 0,
     first_seen INTEGER NOT NULL
   );
   -- What changes with every sample, apart from the rest: a thousand rows are a few pages.
   CREATE TABLE progress (
     server_id INTEGER PRIMARY KEY REFERENCES servers (id),
     run INTEGER NOT NULL,
     decided_up_to INTEGER NOT NULL,
     newest_at INTEGER NOT NULL,
     last_arrived_at INTEGER NOT NULL,
     skew_ms INTEGER
   );
   CREATE TABLE samples (
     server_id INTEGER NOT NULL,
     at INTEGER NOT NULL,
     run INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     arrived_at INTEGER NOT NULL,
     flags INTEGER NOT NULL,
     cores INTEGER,
     readings BLOB NOT NULL,
     PRIMARY KEY (server_id, at, run, seq)
   ) WITHOUT ROWID;
   CREATE TABLE minutes (
     server_id INTEGER NOT NULL,
     minute INTEGER NOT NULL,
     cells BLOB NOT NULL,
     PRIMARY KEY (server_id, minute)
   ) WITHOUT ROWID;
   CREATE TABLE quarters (
     server_id INTEGER NOT NULL,
     quarter INTEGER NOT NULL,
     cells BLOB NOT NULL,
     PRIMARY KEY (server_id, quarter)
   ) WITHOUT ROWID;
   CREATE TABLE forecasts (
     server_id INTEGER PRIMARY KEY REFERENCES servers (id),
     issued_at INTEGER NOT NULL,
     body BLOB NOT NULL
   );
   CREATE TABLE quarantine_counts (
     server_id INTEGER NOT NULL REFERENCES servers (id),
     reason TEXT NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (server_id, reason)
   ) WITHOUT ROWID;
   CREATE TABLE quarantine_last (
     id INTEGER PRIMARY KEY,
     server_id INTEGER NOT NULL REFERENCES servers (id),
     at INTEGER NOT NULL,
     reason TEXT NOT NULL,
     detail TEXT NOT NULL
   );
   CREATE INDEX quarantine_last_by_server ON quarantine_last (server_id, id);`,
]
