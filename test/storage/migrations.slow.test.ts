// Migrations: forward only, each whole or not at all; a past that does not fit the program is refused.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../../src/storage/migrations.ts';
import { openDatabase } from '../../src/storage/sqlite/database-file/open-database.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { upTo } from './contract/workbench.ts';
import { openSqlite } from './open-sqlite.ts';

const ROOT = join(import.meta.dirname, '../..');
const SHIPPED = join(ROOT, 'migrations/sqlite');
const NEXT = `${String(readdirSync(SHIPPED).length + 1).padStart(4, '0')}_next.sql`;

/** A copy of the shipped migrations, with one more. */
function migrationsWith(sql: string): string {
  const folder = tempDir();
  cpSync(SHIPPED, folder, { recursive: true });
  writeFileSync(join(folder, NEXT), sql);
  return folder;
}

function migrate(directory: string, migrationsFolder: string): void {
  openDatabase({ directory, migrationsFolder, acceptLoss: false }).close();
}

function tables(directory: string): string[] {
  const database = new Database(join(directory, 'sluice.db'), { readonly: true });
  try {
    return database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  } finally {
    database.close();
  }
}

test('a new migration is applied once to a database that has the earlier ones', () => {
  const directory = tempDir();
  migrate(directory, SHIPPED);
  const folder = migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;');
  migrate(directory, folder);
  migrate(directory, folder);
  expect(tables(directory)).toContain('extra');
});

test('a migration that was changed after it was applied is refused by name', () => {
  const directory = tempDir();
  const folder = migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;');
  migrate(directory, folder);
  writeFileSync(join(folder, NEXT), 'CREATE TABLE extra (id TEXT) STRICT;');
  expect(() => migrate(directory, folder)).toThrow(`migration ${NEXT} was changed after it was applied to this database`);
});

test('a database that a newer program has migrated is refused, and left as it is', () => {
  const directory = tempDir();
  migrate(directory, migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;'));
  expect(() => migrate(directory, SHIPPED)).toThrow(new RegExp(`the database is newer than this program: it has migration ${NEXT}`));
  expect(tables(directory)).toContain('extra');
});

test('a migration that fails half way leaves nothing behind, and the next try starts anew', () => {
  const directory = tempDir();
  migrate(directory, SHIPPED);
  const broken = 'CREATE TABLE extra (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);';
  expect(() => migrate(directory, migrationsWith(broken))).toThrow('nowhere');
  expect(tables(directory)).not.toContain('extra');
  migrate(directory, migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;'));
  expect(tables(directory)).toContain('extra');
});

test('a process that is killed in the middle of a migration leaves nothing of it behind', async () => {
  const directory = tempDir();
  migrate(directory, SHIPPED);
  const endless = migrationsWith(`
    CREATE TABLE extra (id INTEGER) STRICT;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO extra SELECT i FROM n;`);
  const code = `import { openDatabase } from './src/storage/sqlite/database-file/open-database.ts';
    openDatabase(${JSON.stringify({ directory, migrationsFolder: endless, acceptLoss: false })});`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { cwd: ROOT, stdio: 'ignore' });
  onTestEnd(() => void child.kill('SIGKILL'));
  // Its cache is full and it writes to the log: it is in the middle of the insertion.
  const log = join(directory, 'sluice.db-wal');
  await until('the migration to write', () => existsSync(log) && statSync(log).size > 1_000_000, 20_000);
  child.kill('SIGKILL');
  await once(child, 'exit');
  migrate(directory, SHIPPED);
  expect(tables(directory)).not.toContain('extra');
});

test.each([
  ['skips a number', '0099_later.sql', 'must begin with its number, 00'],
  ['takes a number twice', '0001_other.sql', 'must begin with its number, 00'],
  ['has no number', 'later.sql', 'must begin with its number, 00'],
])('a folder of migrations that %s is refused', (_what, name, message) => {
  const folder = tempDir();
  cpSync(SHIPPED, folder, { recursive: true });
  writeFileSync(join(folder, name), 'SELECT 1;');
  expect(() => readMigrations(folder)).toThrow(message);
});

/**
 * What has been released is applied somewhere, so that it never changes again: a database that has it would be refused.
 * A new migration is added here with its hash (`sha256sum`).
 */
const RELEASED = {
  '0001_init.sql': 'b5c460164090700361f5e128903dbf28bdbc51302bbcd6651ab38f0303c7dc6b',
  '0002_deliveries.sql': 'bc12d03f5adf321a13fbf9009491f6bf9704efc1bc4984fea7834905563139d7',
  '0003_visits.sql': '855ad93d1327517351a986e0e3a8b7fc8c66b7fe289a97c00f8e919ca7a68490',
  '0004_overflow.sql': '7dceb1719086b62ea5d40e7e4e42b28575753dda924372863c5ce456b1150077',
  '0005_messages.sql': '46066d0b1f9301332aa6b395942a7912691c49dda7d0188daa5214cace39d360',
  '0006_deaths.sql': 'e2ac89ebdee76b8702525cb4eb2aa6dd27307966d843c9eb4a560a35a4a2e014',
  '0007_server_time.sql': 'ea00dbd9433d0d3e2db3afb5ea2d036567c54015be2a5c44e1e108fd1bbafe88',
  '0008_rejections.sql': '5f32fe2e66d473d95e11b4df22b5e1b8ee0143d9a96615e3052dcf1594ed9383',
  '0009_owners.sql': '88f4a3e3d152ae9f29d92a7c774c63d26756530d9918a73bbf5a6deebb15048d',
  '0010_replies.sql': '86ade3f4815f27c24fb08e9c01e67e1f1735a78f53a6a2f89a72dcd73ef8ffd3',
  '0011_schedules.sql': 'cd924529361262ca8a9b731386383bb94305a14301a0d0efe6571d4232f1f131',
  '0012_replays.sql': '74627dd01a9183c8d9aa83a72a85be7e65b29b17390e4b1e49c5e41106fe6dd6',
  '0013_refusals.sql': '92c50adbc97143dc86ad829073a1a1169b348838f91558434d1c4899f07bd1ae',
  '0014_flow.sql': 'cda33c6ddae76188ecf893fed70d32fa256f0e7552026b6bedd5a4116be95271',
  '0015_batches.sql': '22939e0b7d94713d3ef0aab994d9287c407edc9ca05c631d5ef6da4f2e5009c3',
  '0016_samples.sql': 'c045b6d85693ec3dcf63dce40f24c35ebd7b704abbc83603e605200e2df9b181',
};

test('migrations never change once they are released', () => {
  const found = readMigrations(SHIPPED).map(({ name, checksum }) => [name, checksum]);
  expect(Object.fromEntries(found)).toEqual(RELEASED);
});

function firstMigrations(count: number): string {
  const folder = tempDir();
  for (const name of readdirSync(SHIPPED).sort().slice(0, count)) cpSync(join(SHIPPED, name), join(folder, name));
  return folder;
}

test('0008_rejections takes over the newest refusals with their texts cut', () => {
  const directory = tempDir();
  migrate(directory, firstMigrations(7));
  const database = new Database(join(directory, 'sluice.db'));
  const insert = database.prepare("INSERT INTO rejections VALUES (NULL, ?, 'GET', ?, 404, 'not_found', ?, '127.0.0.1', 2, 3, 4)");
  database.transaction(() => {
    for (let n = 0; n < 10_002; n += 1) insert.run('shop', `/${n}`, 'no sink found');
    insert.run('a'.repeat(14_009), 'é'.repeat(512), '\u{1f4a9}'.repeat(256));
  })();
  database.close();
  migrate(directory, firstMigrations(8));
  const taken = new Database(join(directory, 'sluice.db'), { readonly: true });
  onTestEnd(() => void taken.close());
  const rows = taken.prepare('SELECT * FROM rejections ORDER BY position').all() as Record<string, any>[];
  expect(rows).toHaveLength(10_000);
  expect(rows[0]).toMatchObject({
    position: 4,
    app_id: 'shop',
    path: '/3',
    count: 2,
    first_at: 3,
    last_at: 4,
    folded: null,
    sink_id: null,
  });
  const { app_id: appId, path, message } = rows.at(-1) as Record<string, any>;
  expect(appId).toBeNull();
  expect([path, message]).toEqual(['é'.repeat(128), '\u{1f4a9}'.repeat(128)]);
});

describe('0003_visits', () => {
  /** A database as 0001 and 0002 left it, with rows in it. */
  function earlier(): string {
    const directory = tempDir();
    migrate(directory, firstMigrations(2));
    const database = new Database(join(directory, 'sluice.db'));
    database.exec(`
      INSERT INTO apps VALUES (1, 'shop', NULL, 'api', 1);
      INSERT INTO sinks VALUES (1, 'snk_1', 1, 'POST', '/a', '/a', NULL, '{}', 'api', 1, 1, NULL);
      INSERT INTO runs VALUES (7, '${'0'.repeat(20)}', 1, 1, NULL, NULL, 'waiting', 50, 1, NULL, 9, 1, 1, '{}', 'empty', 'utf-8', x'', '{}', '[[0]]',
        '[["first","sluice/set@v1","completed",1,1,1,{"x":1.0}]]', NULL, NULL);
      INSERT INTO step_records VALUES (7, 'b', 't@v1', 'waiting', 2, NULL, NULL, '{"code":"c","message":"m"}', 3, NULL, 9),
        (7, 'a', 't@v1', 'completed', 1, '{"x":1.0}', '["b"]', NULL, 1, 2, NULL);
      INSERT INTO deliveries VALUES (3, 7, 1, 'b', 1, 1, 'queued', 1, 'http://x.test', '{"transport":"http","method":"POST","url":"http://x.test/"}', x'00ff',
        '{"maxRetries":2}', 1, 3, 9, 4, 1, NULL), (9, 7, 0, 'a', 1, 1, 'failed', 0, 'http://x.test', '{}', x'', '{"maxRetries":0}', 1, 1, NULL, 2, 1, 5);
      INSERT INTO delivery_attempts VALUES (3, 1, 1, 5, '{"kind":"timeout","phase":"total"}', NULL);`);
    database.close();
    return directory;
  }

  const rowsOf = (directory: string, sql: string): unknown[] => {
    const database = new Database(join(directory, 'sluice.db'), { readonly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  };
  const indexes = (directory: string) =>
    rowsOf(directory, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name");

  test('takes over every step record and delivery as the first visit, with their numbers, indexes and attempts', () => {
    const directory = earlier();
    const before = ['step_records', 'deliveries', 'delivery_attempts'].map((table) => rowsOf(directory, `SELECT * FROM ${table}`));
    const indexesBefore = indexes(directory);
    migrate(directory, firstMigrations(3));
    const [steps, deliveries, attempts] = before as object[][];
    expect(rowsOf(directory, 'SELECT * FROM step_records')).toEqual(steps?.map((row) => ({ ...row, visit: 1, back_to: null })));
    expect(rowsOf(directory, 'SELECT * FROM deliveries')).toEqual(deliveries?.map((row) => ({ ...row, visit: 1 })));
    expect(rowsOf(directory, 'SELECT * FROM delivery_attempts')).toEqual(attempts);
    expect(indexes(directory)).toEqual(expect.arrayContaining(indexesBefore));
    expect(tables(directory).filter((name) => name.startsWith('new_'))).toEqual([]);
  });

  test('a run from before is claimed and goes on, and its delivery is sent under the id that it had', async () => {
    const { storage } = await openSqlite(earlier(), () => 10);
    onTestEnd(() => storage.close());
    const [run] = await storage.claimDueRuns(upTo(1));
    expect(run?.steps.map(({ step, visit, status, outputs }) => [step, visit, status, outputs])).toEqual([
      ['first', 1, 'completed', '{"x":1.0}'],
      ['a', 1, 'completed', '{"x":1.0}'],
      ['b', 1, 'waiting', null],
    ]);
    const [delivery] = await storage.claimDeliveries([{ origin: 'http://x.test', limit: 9, maxBytes: 1000 }]);
    expect(delivery?.id).toMatch(/^dlv_[0-9a-z]+_1$/);
    expect(delivery).toMatchObject({ message: { method: 'POST', url: 'http://x.test/' }, retry: { maxRetries: 2 }, attempts: 1 });
    expect((await storage.getDelivery(delivery?.id ?? ''))?.tries).toHaveLength(1);
    // Lists find it by the index that is left.
    expect((await storage.listDeliveries({ appId: 'shop', limit: 9 })).map(({ status }) => status)).toEqual(['failed', 'sending']);
    expect(await storage.listRuns({ appId: 'shop', limit: 9 })).toHaveLength(1);
  });
});
