// Descriptions of tables: a column that is forgotten, swapped or added twice does not compile, and each description is the
// schema that the migrations make.

// biome-ignore-all lint/suspicious/noDuplicateObjectKeys: a column that is there twice is a fault that is tested

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { openDatabase } from '../../src/storage/sqlite/database-file/open-database.ts';
import { apps, sinks, workflows } from '../../src/storage/sqlite/definitions/definition-rows.ts';
import { schedules } from '../../src/storage/sqlite/definitions/schedules.ts';
import { deliveries, deliveryAttempts, deliveryMessages } from '../../src/storage/sqlite/deliveries/delivery-columns.ts';
import { collectedRequests } from '../../src/storage/sqlite/flow/batches.ts';
import { flowCooldowns } from '../../src/storage/sqlite/flow/cooldowns.ts';
import { flowRuns } from '../../src/storage/sqlite/flow/flow-columns.ts';
import { jobs } from '../../src/storage/sqlite/jobs/job-rows.ts';
import { blockedClients } from '../../src/storage/sqlite/refusals/blocked-clients.ts';
import { rejections } from '../../src/storage/sqlite/refusals/rejections.ts';
import { replies } from '../../src/storage/sqlite/runs/replies.ts';
import { idempotencyKeys, runBlobs, runEvents, runs } from '../../src/storage/sqlite/runs/run-columns.ts';
import { samples } from '../../src/storage/sqlite/runs/samples.ts';
import { stepRecords } from '../../src/storage/sqlite/runs/step-columns.ts';
import { stepMemory } from '../../src/storage/sqlite/runs/step-memory.ts';
import { turns } from '../../src/storage/sqlite/runs/turn-columns.ts';
import { clockSteps } from '../../src/storage/sqlite/server-time.ts';
import { beside, given, type Packed, preset, type Row, table } from '../../src/storage/sqlite/table.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';

const ROOT = join(import.meta.dirname, '../..');
const DESCRIBED = [
  apps,
  clockSteps,
  collectedRequests,
  deliveries,
  deliveryAttempts,
  deliveryMessages,
  flowCooldowns,
  flowRuns,
  idempotencyKeys,
  jobs,
  rejections,
  blockedClients,
  replies,
  runBlobs,
  runEvents,
  runs,
  samples,
  schedules,
  sinks,
  stepMemory,
  stepRecords,
  workflows,
];
/** Of one row, or written by the migrations alone. */
const WITHOUT_DESCRIPTION = ['database_state', 'migrations', 'sqlite_sequence'];

interface Parcel {
  from: string;
  to: string;
  grams: number;
  isUrgent: boolean;
}

const parcels = table<Parcel>('parcels').columns({
  no: preset<number>(),
  shelf: given<number>(),
  sender: ({ from }) => from,
  isUrgent: beside(({ isUrgent }) => isUrgent),
  receiver: ({ to }) => to,
  grams: ({ grams }) => grams,
});
const letters = table<Parcel>('letters').columns({ sender: ({ from }) => from, receiver: ({ to }) => to });
const labels = table('labels').columns({ no: given<number>(), text: given<string | null>() });
const PARCEL: Parcel = { from: 'a', to: 'b', grams: 500, isUrgent: true };

function openStore(): Database.Database {
  const database = new Database(':memory:');
  onTestEnd(() => void database.close());
  database.exec(`
    CREATE TABLE parcels (no INTEGER PRIMARY KEY, grams INTEGER, receiver TEXT UNIQUE, sender TEXT, shelf INTEGER) STRICT;
    CREATE TABLE letters (receiver TEXT, sender TEXT) STRICT;
    CREATE TABLE labels (text TEXT, no INTEGER) STRICT;`);
  return database;
}

describe('a description', () => {
  test('puts each value into its column, whatever order the table has', () => {
    const database = openStore();
    parcels.insert(database)({ shelf: 7 }, parcels.pack(PARCEL));
    labels.insert(database)({ text: 'fragile', no: 1 });
    expect(database.prepare('SELECT * FROM parcels').all()).toEqual([{ no: 1, shelf: 7, sender: 'a', receiver: 'b', grams: 500 }]);
    expect(database.prepare('SELECT * FROM labels').all()).toEqual([{ no: 1, text: 'fragile' }]);
  });

  test('packs into a flat list, which is read by name', () => {
    const packed = parcels.pack(PARCEL);
    expect(packed.toSorted()).toEqual([500, 'a', 'b', true]);
    expect([parcels.read(packed, 'receiver'), parcels.read(packed, 'isUrgent')]).toEqual(['b', true]);
  });

  test('replaces the row that is there, but for its key and what is kept', () => {
    const database = openStore();
    const upsert = parcels.upsert(database, { key: ['receiver'], keeps: ['sender'] });
    upsert({ shelf: 7 }, parcels.pack(PARCEL));
    upsert({ shelf: 8 }, parcels.pack({ ...PARCEL, from: 'c', grams: 600 }));
    expect(database.prepare('SELECT * FROM parcels').all()).toEqual([{ no: 1, shelf: 8, sender: 'a', receiver: 'b', grams: 600 }]);
  });

  test('assigns what crosses in an UPDATE', () => {
    const database = openStore();
    parcels.insert(database)({ shelf: 7 }, parcels.pack(PARCEL));
    const update = database.prepare(`UPDATE parcels SET ${parcels.assignments} WHERE shelf = ?`);
    update.run(...parcels.assigned(parcels.pack({ ...PARCEL, to: 'd', grams: 1 })), 7);
    expect(database.prepare('SELECT * FROM parcels').all()).toEqual([{ no: 1, shelf: 7, sender: 'a', receiver: 'd', grams: 1 }]);
  });
});

describe('what does not compile', () => {
  test('is a row that lacks a column, or has it with the value of another', () => {
    expectTypeOf<Row<typeof parcels>>().toEqualTypeOf<{ no: number; shelf: number; sender: string; receiver: string; grams: number }>();
    // @ts-expect-error a column is missing
    const missing: Row<typeof letters> = { sender: 'a' };
    // @ts-expect-error two columns are swapped
    const swapped: Row<typeof labels> = { no: 'fragile', text: 1 };
    // @ts-expect-error a column is none of the table's
    const strange: Row<typeof letters> = { sender: 'a', receiver: 'b', grams: 1 };
    expect([missing, swapped, strange]).toHaveLength(3);
  });

  test('is an INSERT that lacks a value, has one too many or takes one for another', () => {
    const insert = (database: Database.Database) => {
      const insertParcel = parcels.insert(database);
      const insertLabel = labels.insert(database);
      // @ts-expect-error a column is missing
      insertLabel({ no: 1 });
      // @ts-expect-error two columns are swapped
      insertLabel({ no: 'fragile', text: 1 });
      // @ts-expect-error a column is there twice
      insertLabel({ no: 1, text: 'fragile', no: 2 });
      // @ts-expect-error the schema gives the number
      insertParcel({ no: 1, shelf: 7 }, parcels.pack(PARCEL));
      // @ts-expect-error the record is missing
      insertParcel({ shelf: 7 });
      // @ts-expect-error a list in an order of the caller's own
      insertParcel({ shelf: 7 }, ['a', 'b', 500]);
      // @ts-expect-error the record of another table
      insertParcel({ shelf: 7 }, letters.pack(PARCEL));
    };
    expect(insert).toBeTypeOf('function');
  });

  test('is a packed record that is read by a name or as a type that it has not', () => {
    const packed: Packed<typeof letters> = letters.pack(PARCEL);
    // @ts-expect-error the name of no column
    expect(letters.read(packed, 'grams')).toBeUndefined();
    // @ts-expect-error the column is a text
    const sender: number = letters.read(packed, 'sender');
    expect(sender).toBe('a');
  });

  test('is a description that names a column twice, or takes a value that SQL does not know', () => {
    const described = [
      // @ts-expect-error a column is there twice
      table<Parcel>('letters').columns({ sender: ({ from }) => from, sender: ({ to }) => to }),
      // @ts-expect-error SQLite has no booleans
      table<Parcel>('parcels').columns({ isUrgent: ({ isUrgent }) => isUrgent }),
      // @ts-expect-error the record has no such field
      table<Parcel>('parcels').columns({ sender: ({ sender }) => sender }),
    ];
    expect(described).toHaveLength(3);
  });
});

describe('the schema', () => {
  const schema = (): Map<string, string[]> => {
    const database = openDatabase({ directory: tempDir(), migrationsFolder: join(ROOT, 'migrations/sqlite'), acceptLoss: false });
    onTestEnd(() => void database.close());
    const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
    const columnsOf = database.prepare('SELECT name FROM pragma_table_info(?)').pluck();
    return new Map(names.map((name) => [name, (columnsOf.all(name) as string[]).sort()]));
  };

  test('has exactly the tables and columns that are described', () => {
    const described = new Map(DESCRIBED.map(({ name, columns }) => [name, columns.toSorted()]));
    const found = [...schema()].filter(([name]) => !WITHOUT_DESCRIPTION.includes(name));
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(found));
  });

  test('has the columns that a turn changes', () => {
    expect(schema().get(turns.name)).toEqual(expect.arrayContaining([...turns.columns]));
  });
});

test('every INSERT of src names its columns', () => {
  const files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]).filter((path) => path.endsWith('.ts'));
  const inserts = files.flatMap((path) =>
    [...readFileSync(join(ROOT, 'src', path), 'utf8').matchAll(/\b(?:INSERT(?: OR \w+)?|REPLACE)\s+INTO\s+\S+\s*(.)/g)].map(
      ([text, next]) => ({ path, text, next }),
    ),
  );
  expect(inserts.length).toBeGreaterThan(0);
  expect(inserts.filter(({ next }) => next !== '(')).toEqual([]);
});
