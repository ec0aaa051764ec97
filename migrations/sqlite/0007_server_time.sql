-- The server's own time, which goes on where the wall clock is set.

-- The last moment that a server noted; null before the first one.
ALTER TABLE database_state ADD COLUMN seen_at INTEGER;

-- From `at` on, in server time, the wall clock is ahead by so many milliseconds.
CREATE TABLE clock_steps (
  at INTEGER PRIMARY KEY,
  ahead_ms INTEGER NOT NULL
) STRICT;
