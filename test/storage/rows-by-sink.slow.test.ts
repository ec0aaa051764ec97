// Pages that are merged from many sinks and statuses are those that a sort of all rows would give.

import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/storage/sqlite/database-file/open-database.ts';
import { createRowsBySink } from '../../src/storage/sqlite/definitions/rows-by-sink.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';

const STATUSES = ['queued', 'completed', 'failed'];

test.each(['newest', 'oldest'] as const)('the %s first, of any sinks and statuses, within any bounds', (order) => {
  const database = openDatabase({
    directory: tempDir(),
    migrationsFolder: join(import.meta.dirname, '../../migrations/sqlite'),
    acceptLoss: false,
  });
  onTestEnd(() => void database.close());
  const insert = database.prepare(
    `INSERT INTO runs (id, nonce, app_no, sink_no, status, progress, created_at, epoch, last_seq, request, body_kind, body_charset, body, first_events)
     VALUES (?, '', 1, ?, ?, 0, 0, 1, 0, '{}', 'empty', 'utf-8', x'', '[]')`,
  );
  const rowsBySink = createRowsBySink(database, { table: 'runs', key: 'id', order });
  const rows = fc.array(fc.record({ sink: fc.integer({ min: 1, max: 5 }), status: fc.constantFrom(...STATUSES) }), { maxLength: 60 });
  const range = fc.record({
    sinks: fc.subarray([1, 2, 3, 4, 5]),
    statuses: fc.subarray(STATUSES),
    from: fc.integer({ min: 0, max: 40 }),
    before: fc.integer({ min: 0, max: 70 }),
    limit: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(rows, range, (stored, wanted) => {
      database.exec('DELETE FROM runs');
      for (const [id, { sink, status }] of stored.entries()) insert.run(id, sink, status);
      const { sinks, statuses, from, before, limit } = wanted;
      const ids = stored.flatMap(({ sink, status }, id) =>
        sinks.includes(sink) && statuses.includes(status) && id >= from && id < before ? [id] : [],
      );
      expect(rowsBySink(wanted)).toEqual((order === 'newest' ? ids.reverse() : ids).slice(0, limit));
    }),
    { numRuns: 200 },
  );
});
