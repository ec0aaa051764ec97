-- Runs whose requests are kept as samples of their sink: retention leaves them.

CREATE TABLE samples (
  run_id INTEGER PRIMARY KEY,
  sink_no INTEGER NOT NULL,
  name TEXT,
  -- Of the request with its files.
  bytes INTEGER NOT NULL,
  saved_at INTEGER NOT NULL
) STRICT;

CREATE INDEX samples_by_sink ON samples (sink_no, run_id);
