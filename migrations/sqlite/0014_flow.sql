-- Flow control: when the runs of a sink may start.

-- What orders the run among those of its sink, as a hash; empty if nothing does. Null: its sink has no flow control.
ALTER TABLE runs ADD COLUMN flow_key TEXT;

-- The runs of sinks with flow control that have not ended.
CREATE TABLE flow_runs (
  -- The place in the line: a run that replaces another one takes over its place.
  no INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL UNIQUE,
  sink_no INTEGER NOT NULL,
  flow_key TEXT NOT NULL,
  -- `active`: under way. `ready`: waits for a place. `behind`: waits for another run of its key. `quiet`: waits until its key
  -- is quiet; its run is due then.
  state TEXT NOT NULL,
  -- When the first of the runs that replaced each other came.
  since_at INTEGER NOT NULL
) STRICT;

CREATE INDEX flow_runs_by_state ON flow_runs (sink_no, state, no);
CREATE INDEX flow_runs_by_key ON flow_runs (sink_no, flow_key, state, no);
