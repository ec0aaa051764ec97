-- Flow control: requests that are collected for one run, and runs that are skipped for a while.

-- Of an open batch, whose state is `collecting`: its requests, and their bytes. Its run is due when it has waited long enough.
ALTER TABLE flow_runs ADD COLUMN collected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow_runs ADD COLUMN collected_bytes INTEGER NOT NULL DEFAULT 0;

-- Requests of a batch but the first, which the run has from the beginning. A row stays as long as its run, so that a repeated
-- request is not collected twice.
CREATE TABLE collected_requests (
  -- The number and the nonce that a run of its own would have had.
  no INTEGER PRIMARY KEY,
  nonce TEXT NOT NULL,
  -- The run that the request is collected for.
  run_id INTEGER NOT NULL,
  sink_no INTEGER NOT NULL,
  client_ip TEXT NOT NULL,
  -- As in `runs`. Null once the run has them.
  request TEXT,
  body BLOB
) STRICT;

CREATE INDEX collected_requests_by_run ON collected_requests (run_id, no);
CREATE INDEX collected_requests_by_sink ON collected_requests (sink_no, no);

-- Until when runs of a sink and key are skipped.
CREATE TABLE flow_cooldowns (
  sink_no INTEGER NOT NULL,
  flow_key TEXT NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (sink_no, flow_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_cooldowns_by_end ON flow_cooldowns (ends_at);
