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
  // The forecast log. It is only ever added to: triggers refuse what would change it, and let go of the oldest alone.
  `CREATE TABLE forecast_sources (id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE);
   CREATE TABLE forecast_log (
     id INTEGER PRIMARY KEY,
     server_id INTEGER NOT NULL,
     window_end INTEGER NOT NULL,
     issued_at INTEGER NOT NULL,
     -- 1: what people saw; 0: what a challenger would have said.
     served INTEGER NOT NULL,
     model TEXT NOT NULL,
     profile TEXT NOT NULL,
     body BLOB NOT NULL
   );
   CREATE UNIQUE INDEX forecast_log_once ON forecast_log (server_id, window_end, served, model);
   CREATE TABLE forecast_scores (
     log_id INTEGER NOT NULL,
     part INTEGER NOT NULL,
     -- 0: what was fully measured in time; 1: the rest, after it was waited for.
     final INTEGER NOT NULL,
     scored_at INTEGER NOT NULL,
     truth BLOB NOT NULL,
     PRIMARY KEY (log_id, part, final)
   ) WITHOUT ROWID;
   CREATE INDEX forecast_scores_in_order ON forecast_scores (scored_at, log_id, part, final);
   CREATE TABLE forecast_log_bounds (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     -- What ended before may be forgotten.
     keep_from INTEGER NOT NULL,
     -- The last round of scoring that is whole.
     scored_to INTEGER NOT NULL
   );
   INSERT INTO forecast_log_bounds VALUES (1, 0, 0);
   CREATE TABLE accuracy_hours (hour INTEGER PRIMARY KEY, sums TEXT NOT NULL);
   CREATE TRIGGER forecast_log_is_never_changed BEFORE UPDATE ON forecast_log
     BEGIN SELECT RAISE(ABORT, 'the forecast log is append-only'); END;
   CREATE TRIGGER forecast_log_is_kept BEFORE DELETE ON forecast_log
     WHEN OLD.window_end >= (SELECT keep_from FROM forecast_log_bounds)
     BEGIN SELECT RAISE(ABORT, 'the forecast log is append-only'); END;
   CREATE TRIGGER forecast_log_is_added_to_once BEFORE INSERT ON forecast_log
     WHEN EXISTS (SELECT 1 FROM forecast_log WHERE id = NEW.id OR (server_id = NEW.server_id
       AND window_end = NEW.window_end AND served = NEW.served AND model = NEW.model))
     BEGIN SELECT RAISE(IGNORE); END;
   CREATE TRIGGER forecast_scores_are_never_changed BEFORE UPDATE ON forecast_scores
     BEGIN SELECT RAISE(ABORT, 'the scores of the forecast log are append-only'); END;
   CREATE TRIGGER forecast_scores_are_kept BEFORE DELETE ON forecast_scores
     WHEN EXISTS (SELECT 1 FROM forecast_log WHERE id = OLD.log_id)
     BEGIN SELECT RAISE(ABORT, 'the scores of the forecast log are append-only'); END;
   CREATE TRIGGER forecast_scores_are_added_once BEFORE INSERT ON forecast_scores
     WHEN EXISTS (SELECT 1 FROM forecast_scores WHERE log_id = NEW.log_id AND part = NEW.part
       AND final = NEW.final)
     BEGIN SELECT RAISE(IGNORE); END;
   CREATE TRIGGER forecast_log_keeps_a_week BEFORE UPDATE OF keep_from ON forecast_log_bounds
     WHEN NEW.keep_from < OLD.keep_from
       OR NEW.keep_from > coalesce((SELECT window_end FROM forecast_log ORDER BY id DESC LIMIT 1), 0) - 604800000
     BEGIN SELECT RAISE(ABORT, 'the last 7 days of the forecast log are kept'); END;`,
  // Drift: what its tests compare with, and when they found what.
  `CREATE TABLE drift_history (at INTEGER PRIMARY KEY, body TEXT NOT NULL);
   CREATE TABLE drift_episodes (
     id INTEGER PRIMARY KEY,
     signal TEXT NOT NULL,
     metric TEXT NOT NULL,
     -- Of all servers when empty.
     profile TEXT NOT NULL,
     began_at INTEGER NOT NULL,
     ended_at INTEGER,
     detail TEXT NOT NULL
   );`,
  // What a calibrator has learnt from matured truth, per model it corrects.
  `CREATE TABLE calibrators (model TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;`,
  // Which model serves, and why: only ever added to. Trainings, and how each ended.
  `CREATE TABLE model_decisions (
     id INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     model TEXT NOT NULL,
     kind TEXT NOT NULL,
     by TEXT NOT NULL,
     reason TEXT NOT NULL,
     body TEXT NOT NULL
   );
   CREATE INDEX model_decisions_by_model ON model_decisions (model, id);
   CREATE TRIGGER model_decisions_are_never_changed BEFORE UPDATE ON model_decisions
     BEGIN SELECT RAISE(ABORT, 'the decisions on models are append-only'); END;
   CREATE TRIGGER model_decisions_are_kept BEFORE DELETE ON model_decisions
     BEGIN SELECT RAISE(ABORT, 'the decisions on models are append-only'); END;
   CREATE TRIGGER model_decisions_are_added_once BEFORE INSERT ON model_decisions
     WHEN EXISTS (SELECT 1 FROM model_decisions WHERE id = NEW.id)
     BEGIN SELECT RAISE(ABORT, 'the decisions on models are append-only'); END;
   CREATE TABLE trainings (
     id INTEGER PRIMARY KEY,
     requested_at INTEGER NOT NULL,
     started_at INTEGER,
     ended_at INTEGER,
     reason TEXT NOT NULL,
     detail TEXT NOT NULL,
     state TEXT NOT NULL,
     -- JSON: what is asked for, and what came of it.
     job TEXT NOT NULL,
     result TEXT NOT NULL
   );`,
  // What an agent last said of its own cost and spool.
  `CREATE TABLE agent_costs (
     server_id INTEGER PRIMARY KEY REFERENCES servers (id),
     at INTEGER NOT NULL,
     -- JSON: shared/src/sample.ts, AgentReadings.
     readings TEXT NOT NULL
   );`,
  // People: who may log in, where they are logged in, what programs may ask, and who did what.
  `CREATE TABLE users (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL,
     key TEXT NOT NULL UNIQUE,
     role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
     -- argon2id; null for who signs in at a provider, which then is issuer and subject.
     password TEXT,
     issuer TEXT,
     subject TEXT,
     created_at INTEGER NOT NULL,
     created_by TEXT NOT NULL,
     last_login_at INTEGER,
     UNIQUE (issuer, subject),
     CHECK ((password IS NULL) = (subject IS NOT NULL))
   );
   CREATE TABLE user_sessions (
     -- SHA-256 of what the cookie holds: who reads this table cannot log in with it.
     hash BLOB PRIMARY KEY,
     user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
     created_at INTEGER NOT NULL,
     seen_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX user_sessions_by_user ON user_sessions (user_id, seen_at);
   CREATE TABLE api_tokens (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL,
     hash BLOB NOT NULL UNIQUE,
     scope TEXT NOT NULL CHECK (scope IN ('read', 'operate', 'admin')),
     -- Whose it is: it may no more than they may, and goes when they go. Null: made on the command line.
     user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
     created_at INTEGER NOT NULL,
     created_by TEXT NOT NULL,
     expires_at INTEGER NOT NULL,
     last_used_at INTEGER
   );
   CREATE TABLE audit_log (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     who TEXT NOT NULL,
     address TEXT NOT NULL,
     action TEXT NOT NULL,
     target TEXT NOT NULL,
     outcome TEXT NOT NULL,
     detail TEXT NOT NULL
   );
   CREATE INDEX audit_log_by_outcome ON audit_log (outcome, id);
   -- Rows before these may be forgotten; refusals, which strangers cause, have a bound of their own.
   CREATE TABLE audit_bounds (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     keep_from INTEGER NOT NULL,
     keep_refused_from INTEGER NOT NULL
   );
   INSERT INTO audit_bounds VALUES (1, 0, 0);
   CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE ON audit_log
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
   CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
     WHEN OLD.id >= (SELECT keep_from FROM audit_bounds)
       AND NOT (OLD.outcome = 'refused' AND OLD.id < (SELECT keep_refused_from FROM audit_bounds))
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
   CREATE TRIGGER audit_log_is_added_to_once BEFORE INSERT ON audit_log
     WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
   CREATE TRIGGER audit_bounds_only_rise BEFORE UPDATE ON audit_bounds
     WHEN NEW.keep_from < OLD.keep_from OR NEW.keep_refused_from < OLD.keep_refused_from
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;`,
  // Enrolment: tokens as their hashes, and the agents that have a certificate of this hub.
  `CREATE TABLE enrolment_tokens (
     id TEXT PRIMARY KEY,
     secret BLOB NOT NULL,
     note TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     uses_allowed INTEGER NOT NULL,
     uses INTEGER NOT NULL,
     rejoin INTEGER NOT NULL,
     profile TEXT,
     tags TEXT NOT NULL,
     revoked_at INTEGER
   ) WITHOUT ROWID;
   CREATE TABLE agents (
     key TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     enrolment TEXT NOT NULL,
     key_sha256 TEXT NOT NULL,
     token TEXT NOT NULL,
     enrolled_at INTEGER NOT NULL,
     renewed_at INTEGER,
     certificate_until INTEGER NOT NULL,
     revoked_at INTEGER,
     rejoin INTEGER NOT NULL DEFAULT 0
   ) WITHOUT ROWID;`,
  // Servers that left the fleet, and names that two live agents use.
  `ALTER TABLE servers ADD COLUMN retired_at INTEGER;
   ALTER TABLE servers ADD COLUMN retired_by TEXT;
   ALTER TABLE servers ADD COLUMN retired_reason TEXT;
   -- By an operator: its silence counts from then on.
   ALTER TABLE servers ADD COLUMN brought_back_at INTEGER;
   CREATE TABLE name_conflicts (
     key TEXT PRIMARY KEY,
     -- JSON: hub/src/ingest/namesakes.ts, NameConflict.
     body TEXT NOT NULL
    ) WITHOUT ROWID;`,
  // At what interval a server, the servers of a tag, or those of a profile are to sample.
  `CREATE TABLE interval_rules (
     key TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('server', 'tag', 'profile')),
     target TEXT NOT NULL,
     seconds INTEGER NOT NULL CHECK (seconds BETWEEN 1 AND 300),
     set_at INTEGER NOT NULL,
     set_by TEXT NOT NULL
   ) WITHOUT ROWID;`,
]
