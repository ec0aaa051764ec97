-- Visits: ways may lead a run back to a step, and each visit has a record and a delivery of its own.

CREATE TABLE new_step_records (
  run_id INTEGER NOT NULL,
  step TEXT NOT NULL,
  -- From 1.
  visit INTEGER NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  outputs TEXT,
  chosen TEXT,
  error TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  due_at INTEGER,
  -- JSON: the steps that the run was sent back to for this visit; null in the first.
  back_to TEXT,
  PRIMARY KEY (run_id, step, visit)
) STRICT, WITHOUT ROWID;

INSERT INTO new_step_records
  SELECT run_id, step, 1, type, status, attempt, outputs, chosen, error, started_at, finished_at, due_at, NULL
  FROM step_records ORDER BY run_id, step;

DROP TABLE step_records;
ALTER TABLE new_step_records RENAME TO step_records;

CREATE TABLE new_deliveries (
  no INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL,
  -- Position of the step in its workflow, its visit, and its name.
  step_no INTEGER NOT NULL,
  visit INTEGER NOT NULL,
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
  UNIQUE (run_id, step_no, visit)
) STRICT;

INSERT INTO new_deliveries
  SELECT no, run_id, step_no, 1, step, app_no, sink_no, status, is_awaited, origin, message, body, retry, attempts,
    last_attempt, due_at, epoch, created_at, finished_at
  FROM deliveries ORDER BY no;

DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;

CREATE INDEX deliveries_by_due ON deliveries (origin, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_status ON deliveries (status, no);
CREATE INDEX deliveries_by_app ON deliveries (app_no, status, no);
CREATE INDEX deliveries_by_sink ON deliveries (sink_no, status, no);
