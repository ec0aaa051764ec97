-- Definitions, runs with their steps and events, idempotency keys, rejections.
-- Runs are keyed by an integer that grows with time, so that new rows go to the end of the table and of each index.

CREATE TABLE apps (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT,
  managed_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE workflows (
  app_no INTEGER NOT NULL REFERENCES apps (no),
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  document TEXT NOT NULL,
  managed_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Versions stay for the runs that they started.
  deleted_at INTEGER,
  PRIMARY KEY (app_no, id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE sinks (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  app_no INTEGER NOT NULL REFERENCES apps (no),
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  -- The path with its parameters unnamed: equal keys match equal paths.
  pattern_key TEXT NOT NULL,
  workflow_id TEXT,
  -- JSON: auth (hashes only), inputs, response, limits.
  settings TEXT NOT NULL,
  managed_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX sinks_by_pattern ON sinks (app_no, method, pattern_key) WHERE deleted_at IS NULL;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  nonce TEXT NOT NULL,
  app_no INTEGER NOT NULL,
  sink_no INTEGER NOT NULL,
  workflow_id TEXT,
  workflow_version INTEGER,
  status TEXT NOT NULL,
  progress INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- When somebody must look at the run again; null once it has ended.
  wake_at INTEGER,
  -- Counts the leases on the run: a write under an older one is refused.
  epoch INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  -- JSON: the request without its body.
  request TEXT NOT NULL,
  body_kind TEXT NOT NULL,
  body_charset TEXT NOT NULL,
  body BLOB NOT NULL,
  inputs TEXT,
  -- What the creating commit brought, as JSON: progress events from seq 1, and ended steps.
  first_events TEXT NOT NULL,
  first_steps TEXT,
  output TEXT,
  error TEXT
) STRICT;

CREATE INDEX runs_by_status ON runs (status, id);
CREATE INDEX runs_by_app ON runs (app_no, status, id);
CREATE INDEX runs_by_sink ON runs (sink_no, status, id);
CREATE INDEX runs_by_wake ON runs (wake_at) WHERE wake_at IS NOT NULL;

-- What later commits brought; one row a commit, its progress events from `seq` on, as JSON.
CREATE TABLE run_events (
  run_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_records (
  run_id INTEGER NOT NULL,
  step TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  outputs TEXT,
  chosen TEXT,
  error TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  due_at INTEGER,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_blobs (
  run_id INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run_id, sha256)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_blobs_by_hash ON run_blobs (sha256);

CREATE TABLE idempotency_keys (
  sink_no INTEGER NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  run_id INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (sink_no, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

CREATE TABLE rejections (
  position INTEGER PRIMARY KEY,
  app_id TEXT,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  client_ip TEXT NOT NULL,
  count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rejections_by_app ON rejections (app_id, position);

-- One row: which database this is, and how many commits it has seen. The witness file beside it says the same.
CREATE TABLE database_state (
  database_id TEXT NOT NULL,
  commit_seq INTEGER NOT NULL
) STRICT;

INSERT INTO database_state VALUES (lower(hex(randomblob(8))), 0);
