-- How often the process died while it worked on the run; 0 again once the run has gone on to wait or to end.
ALTER TABLE runs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
