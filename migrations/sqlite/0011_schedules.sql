-- Schedules of sinks, and how far each is handled. A row exists as long as the schedule does.

CREATE TABLE schedules (
  sink_no INTEGER NOT NULL,
  name TEXT NOT NULL,
  cron TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  -- Wall time: the scheduled times up to this one are handled.
  handled_to INTEGER NOT NULL,
  -- The latest scheduled time that started a run.
  last_at INTEGER,
  PRIMARY KEY (sink_no, name)
) STRICT, WITHOUT ROWID;
