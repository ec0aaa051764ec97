-- Each refusal has a stable reason, which is finer than its code. Older ones get the usual reason of their code.

ALTER TABLE rejections ADD COLUMN reason TEXT NOT NULL DEFAULT '';

UPDATE rejections SET reason = CASE code
  WHEN 'invalid' THEN 'malformed'
  WHEN 'unauthorized' THEN 'wrong_token'
  WHEN 'forbidden' THEN 'blocked'
  WHEN 'not_found' THEN 'no_sink'
  WHEN 'method_not_allowed' THEN 'wrong_method'
  WHEN 'conflict' THEN 'key_reused'
  WHEN 'precondition_failed' THEN 'malformed'
  WHEN 'unprocessable' THEN 'unfit_input'
  WHEN 'dispatch_failed' THEN 'failed'
  ELSE code
END;

-- Clients that may not trigger any sink for a time. Their number is bounded.
CREATE TABLE blocked_clients (
  -- An address or a CIDR, in canonical form.
  range TEXT NOT NULL PRIMARY KEY,
  -- Wall time, in ms.
  blocked_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
