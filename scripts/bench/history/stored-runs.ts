// A data directory with a history: very many ended and waiting runs of many sinks. The server itself makes the
// definitions and one run of each kind; the others are copies of those rows, so they are what the server writes.
// Making it takes a minute, so it is kept for later runs of the bench.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrations } from '../../../src/storage/migrations.ts';
import type { Bench } from '../bench.ts';
import { withCleanups } from '../cleanups.ts';
import { type SluiceProcess, startSluice } from '../sluice-process.ts';
import { definitionFile, requestBody, TRIGGER_PATHS } from '../workload.ts';
import { copyRuns, removeRunsAfter } from './copy-runs.ts';

/** Beside the bench's own app; the first has most runs, the last has few. */
export const HISTORY_APPS = Array.from({ length: 8 }, (_, index) => `history-${index + 1}`);
const SINKS_OF_EACH = 5;
export const HISTORY_DEFINITIONS = definitionFile(HISTORY_APPS, SINKS_OF_EACH);

const MIGRATIONS = join(import.meta.dirname, '../../../migrations/sqlite');
const GENERATOR_VERSION = 1;
const DAY_MS = 86_400_000;
/** The runs lie within these days before the directory was made; retention must not take them. */
const HISTORY_MS = 10 * DAY_MS;
const FRESH_MS = 14 * DAY_MS;

export interface History {
  directory: string;
  /** The time that the runs cover, in ms since the epoch. */
  from: number;
  until: number;
}

interface Marker {
  madeAt: number;
  lastOrder: number;
}

/** Makes the directory, or reuses the directory of an earlier bench without the rows that it added. */
export async function prepareHistory(bench: Bench, count: number): Promise<History> {
  const directory = join(bench.options.directory, `sluice-bench-history-${checksum()}-${count}`);
  const markerFile = join(directory, 'made.json');
  const known = existsSync(markerFile) ? (JSON.parse(readFileSync(markerFile, 'utf8')) as Marker) : null;
  const databaseFile = join(directory, 'data', 'sluice.db');
  const isUsable = known !== null && Date.now() - known.madeAt < FRESH_MS;
  if (isUsable) removeRunsAfter(databaseFile, known.lastOrder);
  const { madeAt } = isUsable ? known : await makeHistory(bench, directory, databaseFile, count, markerFile);
  return { directory, from: madeAt - HISTORY_MS, until: madeAt };
}

async function makeHistory(bench: Bench, directory: string, databaseFile: string, count: number, markerFile: string): Promise<Marker> {
  bench.print(`  making ${count.toLocaleString('en-US')} runs in ${directory}, which is kept for the next time`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await withCleanups(async (onEnd) => {
    const server = await startSluice({ ...bench, onEnd }, directory, { definitions: HISTORY_DEFINITIONS });
    await makeOneOfEachKind(server);
  });
  const madeAt = Date.now();
  const lastOrder = copyRuns(databaseFile, { count, from: madeAt - HISTORY_MS, until: madeAt, apps: HISTORY_APPS });
  const marker = { madeAt, lastOrder };
  writeFileSync(markerFile, JSON.stringify(marker));
  return marker;
}

async function makeOneOfEachKind(server: SluiceProcess): Promise<void> {
  const { threeSteps, alwaysFails, longWait } = TRIGGER_PATHS;
  await trigger(server, threeSteps, { accept: 'application/json' }, 200);
  await trigger(server, alwaysFails, { accept: 'application/json' }, 502);
  await trigger(server, longWait, { prefer: 'respond-async' }, 202);
  const cancelled = await trigger(server, longWait, { prefer: 'respond-async' }, 202);
  await server.admin('POST', `/runs/${cancelled}/cancel`);
}

/** Returns the id of the run. */
async function trigger({ port }: SluiceProcess, path: string, headers: Record<string, string>, expected: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: requestBody(),
  });
  const text = await response.text();
  if (response.status !== expected) throw new Error(`${path} answered ${response.status}: ${text}`);
  return (JSON.parse(text) as { run_id: string }).run_id;
}

/** Of all that decides what the directory holds. */
function checksum(): string {
  const hash = createHash('sha256').update(`${GENERATOR_VERSION} ${HISTORY_DEFINITIONS}`);
  for (const migration of readMigrations(MIGRATIONS)) hash.update(migration.checksum);
  return hash.digest('hex').slice(0, 12);
}
