-- Rejections are bounded in number and in bytes, whatever callers send. An entry may stand for many refusals, and gets
-- more of them while they go on; so a position is never given out twice.

CREATE TABLE new_rejections (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Null: no sink takes the request, or the entry stands for more than one.
  sink_id TEXT,
  app_id TEXT,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  client_ip TEXT NOT NULL,
  -- Null: all that are counted were alike. `requests`: they differ in method, path or message. `clients`: also in who sent
  -- them and what for. What is shown is the latest then.
  folded TEXT,
  count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;

INSERT INTO new_rejections
  SELECT position, NULL, CASE WHEN octet_length(app_id) <= 64 THEN app_id END, substr(method, 1, 32),
    CASE WHEN octet_length(path) <= 512 THEN path ELSE substr(path, 1, 128) END, status, code,
    CASE WHEN octet_length(message) <= 512 THEN message ELSE substr(message, 1, 128) END, substr(client_ip, 1, 64), NULL,
    count, first_at, last_at
  FROM (SELECT * FROM rejections ORDER BY position DESC LIMIT 10000) ORDER BY position;

DROP TABLE rejections;
ALTER TABLE new_rejections RENAME TO rejections;

CREATE INDEX rejections_by_app ON rejections (app_id, position);
