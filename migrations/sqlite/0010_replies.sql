-- Replies: requests from outside that a waiting run waits for. Each is the first to the URLs of one step, in one visit.

CREATE TABLE replies (
  run_id INTEGER NOT NULL,
  reply_id TEXT NOT NULL,
  choice TEXT NOT NULL,
  -- JSON; null without a body.
  body TEXT,
  replied_at INTEGER NOT NULL,
  PRIMARY KEY (run_id, reply_id)
) STRICT;

-- The id of the reply that the visit waits for, or waited for in vain.
ALTER TABLE step_records ADD COLUMN awaits TEXT;
