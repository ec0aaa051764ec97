-- What changes often is kept narrow: a delivery's message apart from its state, which changes three times, and one index
-- for all lists of runs and deliveries in place of three, each of which every change of status would write twice.

CREATE TABLE delivery_messages (
  delivery_no INTEGER PRIMARY KEY,
  -- JSON: the message without its bytes, and the bytes.
  message TEXT NOT NULL,
  body BLOB NOT NULL,
  -- JSON: the retry policy.
  retry TEXT NOT NULL
) STRICT;

INSERT INTO delivery_messages SELECT no, message, body, retry FROM deliveries ORDER BY no;

DROP INDEX runs_by_status;
DROP INDEX runs_by_app;
DROP INDEX deliveries_by_status;
DROP INDEX deliveries_by_app;

-- The largest first: each rewrites the table.
ALTER TABLE deliveries DROP COLUMN body;
ALTER TABLE deliveries DROP COLUMN message;
ALTER TABLE deliveries DROP COLUMN retry;
