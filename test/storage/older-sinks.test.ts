// Sinks that an older version has stored are read as the present one stores them.

import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/sink/limits/size-limits.ts';
import { toSink } from '../../src/storage/sqlite/definitions/definition-rows.ts';

test('tokens that were stored as hashes alone still open their sink', () => {
  const settings = {
    auth: { type: 'bearer', tokenHashes: ['a'.repeat(64), 'b'.repeat(64)] },
    inputs: {},
    response: { mode: 'stream' },
    limits: DEFAULT_LIMITS,
  };
  const sink = toSink({
    no: 1,
    id: 'snk_1',
    app_no: 1,
    app_id: 'shop',
    method: 'POST',
    path: '/hook',
    pattern_key: '/hook',
    workflow_id: null,
    settings: JSON.stringify(settings),
    managed_by: 'api',
    created_at: 1,
    updated_at: 1,
    deleted_at: null,
  });
  expect(sink.auth).toEqual({
    type: 'bearer',
    tokens: [
      { name: null, endsAt: null, hash: 'a'.repeat(64) },
      { name: null, endsAt: null, hash: 'b'.repeat(64) },
    ],
  });
  expect(sink).toMatchObject({ body: 'auto', payload: null, publicUrl: null });
});
