-- Deliveries (messages that steps asked to send) with their attempts, and what steps remember between runs.

CREATE TABLE deliveries (
  no INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL,
  -- Position of the step in its workflow, and its name.
  step_no INTEGER NOT NULL,
  step TEXT NOT NULL,
  app_no INTEGER NOT NULL,
  sink_no INTEGER NOT NULL,
  status TEXT NOT NULL,
  -- The step waits for the end of the delivery.
  is_awaited INTEGER NOT NULL,
  -- Where it goes: deliveries to one origin share its connections and its circuit breaker.
  origin TEXT NOT NULL,
  -- JSON: the message without its bytes, and the bytes.
  message TEXT NOT NULL,
  body BLOB NOT NULL,
  -- JSON: the retry policy.
  retry TEXT NOT NULL,
  -- Attempts made, and the number of the last one that the policy allows.
  attempts INTEGER NOT NULL,
  last_attempt INTEGER NOT NULL,
  -- When somebody must look at it: the next attempt, or the end of the lease of the one under way; null once it is over.
  due_at INTEGER,
  -- Counts the leases, as for runs.
  epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  UNIQUE (run_id, step_no)
) STRICT;

CREATE INDEX deliveries_by_due ON deliveries (origin, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_status ON deliveries (status, no);
CREATE INDEX deliveries_by_app ON deliveries (app_no, status, no);
CREATE INDEX deliveries_by_sink ON deliveries (sink_no, status, no);

CREATE TABLE delivery_attempts (
  delivery_no INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  -- JSON: the result without its body, and the body as far as it was read.
  result TEXT NOT NULL,
  body BLOB,
  PRIMARY KEY (delivery_no, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_memory (
  sink_no INTEGER NOT NULL,
  key TEXT NOT NULL,
  -- JSON.
  value TEXT NOT NULL,
  -- Counts the changes: a run that planned on an older value is refused.
  version INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (sink_no, key)
) STRICT, WITHOUT ROWID;
