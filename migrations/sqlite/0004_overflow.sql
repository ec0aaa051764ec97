-- What becomes of deliveries whose receiver is behind.

-- `latest_wins` or `reject`; null: it waits as long as it takes.
ALTER TABLE deliveries ADD COLUMN overflow_policy TEXT;
-- Deliveries that are subject to their policy together: of one sink, step and, for `latest_wins`, key.
ALTER TABLE deliveries ADD COLUMN overflow_group TEXT;
-- Of one that was dropped, in one line.
ALTER TABLE deliveries ADD COLUMN dropped_reason TEXT;

CREATE INDEX deliveries_by_overflow ON deliveries (overflow_policy, overflow_group)
  WHERE overflow_group IS NOT NULL AND due_at IS NOT NULL;
