// What keeps a server from starting is said in one clear line that names it, with exit code 1; nothing is left behind.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { spawnServer, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { refusalOf } from './refusal.ts';
import { health } from './server-calls.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test('a file in place of the data directory', async () => {
  const dataDir = join(tempDir(), 'data');
  writeFileSync(dataDir, 'a file');
  expect(await refusalOf({ dataDir })).toMatch(/the data directory .*\/data cannot be written \((?:EEXIST|ENOTDIR)\); .*SLUICE_DATA_DIR/);
  expect(await refusalOf({ dataDir: join(dataDir, 'below') })).toMatch(/cannot be written \(ENOTDIR\)/);
});

test('a data directory that belongs to somebody else', async () => {
  const dataDir = join(tempDir(), 'data');
  mkdirSync(dataDir);
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chmodSync(join(dataDir, '..'), 0o755);
  else chmodSync(dataDir, 0o500);
  expect(await refusalOf({ dataDir, ...user })).toMatch(
    /the data directory .* cannot be written \(EACCES\); let this user write to it, or set SLUICE_DATA_DIR/,
  );
  expect(readdirSync(dataDir)).toEqual([]);
});

test('a database that belongs to somebody else, in a directory that does not', async () => {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir });
  server.kill('SIGTERM');
  await server.exited;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chownSync(dataDir, NOBODY, NOBODY);
  else chmodSync(join(dataDir, 'sluice.db'), 0o400);
  expect(await refusalOf({ dataDir, ...user })).toMatch(/cannot open the database in .*(?:SQLITE_CANTOPEN|SQLITE_READONLY|EACCES)/);
});

/** Root may write everywhere but here; where the machine allows neither of the first two, another user starts the server. */
test('a file system that is mounted read-only', async () => {
  const dataDir = tempDir();
  const run = (command: string, ...args: string[]): boolean => spawnSync(command, [...args, dataDir], { stdio: 'ignore' }).status === 0;
  let user = {};
  if (run('mount', '--bind', '-o', 'ro', dataDir)) onTestEnd(() => void run('umount', '--lazy'));
  else if (isRoot && run('chattr', '+i')) onTestEnd(() => void run('chattr', '-i'));
  else {
    chmodSync(dataDir, 0o555);
    if (isRoot) user = { uid: NOBODY, gid: NOBODY };
  }
  expect(await refusalOf({ dataDir, ...user })).toMatch(/cannot be written \((?:EROFS|EACCES|EPERM)\)/);
});

test('another server on the same data directory', async () => {
  const dataDir = tempDir();
  const first = await startServerProcess({ dataDir });
  expect(await refusalOf({ dataDir })).toContain(`another server is running on data directory ${dataDir}`);
  expect((await health(first)).status).toBe(200);
});

test('a port that is in use, after which the data directory is free', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestEnd(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const dataDir = tempDir();
  const line = await refusalOf({ dataDir, env: { SLUICE_PORT: String(port) } });
  expect(line).toContain(`127.0.0.1:${port}`);
  expect(line).toContain('SLUICE_PORT');
  const server = await startServerProcess({ dataDir });
  expect((await health(server)).status).toBe(200);
});

test('an address that is not of this machine', async () => {
  expect(await refusalOf({ dataDir: tempDir(), env: { SLUICE_HOST: '192.0.2.1' } })).toMatch(/192\.0\.2\.1.*SLUICE_HOST/);
});

test('settings that are unknown or wrong, all of them by name', async () => {
  const env = { SLUICE_PORT: '99999', SLUICE_LOG_LEVEL: 'loud', SLUICE_RETENTIONS: '1d' };
  const { output, exited } = spawnServer({ dataDir: tempDir(), env });
  expect(await exited).toBe(1);
  const lines = output().trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines.join('\n')).toMatch(/SLUICE_RETENTIONS: no such setting/);
  expect(lines.join('\n')).toMatch(/SLUICE_PORT: must be a whole number from 0 to 65535 \(it is "99999"\)/);
  expect(lines.join('\n')).toMatch(/SLUICE_LOG_LEVEL: must be one of trace, .* \(it is "loud"\)/);
});

test('definition files that are not valid', async () => {
  const file = join(tempDir(), 'sluice.yaml');
  writeFileSync(file, 'sinks: [{ app_id: shop, path: /hook, method: POST, workflow_id: nowhere }]\n');
  expect(await refusalOf({ dataDir: tempDir(), env: { SLUICE_CONFIG: file } })).toContain(
    `${file}:1: sinks[0].workflow_id: app "shop" has no workflow "nowhere"; define it, or leave workflow_id out`,
  );
});

test('a flag that there is not', async () => {
  const { output, exited } = spawnServer({ dataDir: tempDir(), args: ['--data-folder', 'x'] });
  expect(await exited).toBe(2);
  expect(output()).toContain("unknown option '--data-folder'");
});

test('a database that a newer program has migrated', async () => {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir });
  server.kill('SIGTERM');
  await server.exited;
  const database = new Database(join(dataDir, 'sluice.db'));
  database.prepare('INSERT INTO migrations VALUES (9999, ?, ?)').run('9999_of_tomorrow.sql', 'x');
  database.close();
  expect(await refusalOf({ dataDir })).toContain('the database is newer than this program: it has migration 9999_of_tomorrow.sql');
});
