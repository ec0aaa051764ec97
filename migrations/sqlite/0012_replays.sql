-- Replays, and the jobs that replay many runs.

-- JSON: the run whose request is replayed, the mode and the job; null for a run of a request.
ALTER TABLE runs ADD COLUMN replay TEXT;

CREATE TABLE jobs (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL,
  status TEXT NOT NULL,
  -- JSON: which runs, and how they are replayed.
  settings TEXT NOT NULL,
  matched INTEGER NOT NULL,
  -- The id of the last run that is done; null before the first.
  position TEXT,
  replayed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  -- JSON: the last run that was not replayed, and why.
  last_error TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- When it can be claimed: at once, or when its lease ends; null once it is over.
  wake_at INTEGER,
  owner INTEGER NOT NULL,
  -- Counts the leases, as for runs.
  epoch INTEGER NOT NULL,
  -- How often the process died at it since it was last recorded.
  deaths INTEGER NOT NULL DEFAULT 0
) STRICT;
