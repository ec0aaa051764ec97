// The account after a crash: each acknowledged run is there, has ended once, and its stream has neither gap nor repetition.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { FileHandle, RequestHead } from '../../src/core/run/request.ts';
import { isTerminal, type RunStatus } from '../../src/core/run/run.ts';
import { isEnd, type ProgressEvent, type RunEvent } from '../../src/core/run/run-event.ts';
import type { StepRecord } from '../../src/storage/runs/run-records.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { openDatabase } from '../support/open-database.ts';
import { until } from '../support/until.ts';

export interface Account {
  acknowledged: number;
  lost: number;
  stuck: number;
  /** Steps that ended twice, or were tried more often than their policy says. */
  repeated: number;
  /** Streams with a gap, a repetition, or other than one ending at the end. */
  malformed: number;
  /** Received files that are not there, or not what was received. */
  damagedFiles: number;
  integrity: unknown;
}

/** What a sound account of so many runs looks like. */
export function soundAccount(acknowledged: number): Account {
  return { acknowledged, lost: 0, stuck: 0, repeated: 0, malformed: 0, damagedFiles: 0, integrity: 'ok' };
}

/** Waits until every run of the server has ended; gives up quietly, for the account then tells what is stuck. */
export async function letRunsEnd(url: string, deadlineMs = 20_000): Promise<void> {
  // Page by page, because an ended run stays so: a look at one state after the other misses a run that changes between them.
  let cursor: string | null = '';
  const haveEnded = async (): Promise<boolean> => {
    while (cursor !== null) {
      const page = await listRuns(url, cursor);
      if (!page.runs.every(({ status }) => isTerminal(status))) return false;
      cursor = page.next_cursor;
    }
    return true;
  };
  await until('all runs to end', haveEnded, deadlineMs).catch(() => undefined);
}

interface RunPage {
  runs: { status: RunStatus }[];
  next_cursor: string | null;
}

async function listRuns(url: string, cursor: string): Promise<RunPage> {
  const from = cursor === '' ? '' : `&cursor=${cursor}`;
  const response = await fetch(`${url}/api/v1/runs?limit=100${from}`, { headers: { authorization: 'Bearer admin-token-of-the-tests' } });
  return (await response.json()) as RunPage;
}

/** Reads the data directory of a server that has stopped. */
export async function account(dataDir: string, runIds: Iterable<string>): Promise<Account> {
  const { storage } = await openDatabase(dataDir);
  const found: Account = { acknowledged: 0, lost: 0, stuck: 0, repeated: 0, malformed: 0, damagedFiles: 0, integrity: null };
  try {
    await inGroups([...runIds], 500, (runId) => accountRun(storage, dataDir, runId, found));
  } finally {
    await storage.close();
  }
  const database = new Database(join(dataDir, 'sluice.db'), { readonly: true });
  found.integrity = database.pragma('integrity_check', { simple: true });
  database.close();
  return found;
}

async function accountRun(storage: Storage, dataDir: string, runId: string, found: Account): Promise<void> {
  found.acknowledged += 1;
  const [run, stored] = await Promise.all([storage.getRun(runId), storage.readEvents(runId, 0)]);
  if (run === null || stored === null) {
    found.lost += 1;
    return;
  }
  if (!isTerminal(run.status)) found.stuck += 1;
  else if (!isWellFormed(stored.events)) found.malformed += 1;
  if (hasRepeatedStep(stored.events, run.steps)) found.repeated += 1;
  const { files } = JSON.parse(run.request) as RequestHead;
  if (!files.every((file) => isWholeFile(dataDir, file))) found.damagedFiles += 1;
}

function isWholeFile(dataDir: string, { sha256, size }: FileHandle): boolean {
  const path = join(dataDir, 'blobs', sha256.slice(0, 2), sha256);
  if (!existsSync(path)) return false;
  const content = readFileSync(path);
  return content.length === size && createHash('sha256').update(content).digest('hex') === sha256;
}

function isWellFormed(events: readonly RunEvent[]): boolean {
  const isContiguous = events.every(({ seq }, index) => seq === index + 1);
  return isContiguous && events.findIndex(isEnd) === events.length - 1;
}

/** The steps that `sluice/fail@v1` retries are tried three or four times, all others once. */
const ATTEMPTS: Readonly<Record<string, number>> = { shaky: 3, broken: 4 };

function hasRepeatedStep(events: readonly RunEvent[], steps: readonly StepRecord[]): boolean {
  const told = events.filter((event): event is ProgressEvent => !isEnd(event));
  const ended = told.filter(({ step, message }) => step !== null && message === null).map(({ step }) => step);
  const names = steps.map(({ step }) => step);
  const isOften = steps.some(({ step, attempt }) => attempt > (ATTEMPTS[step] ?? 1));
  return new Set(ended).size !== ended.length || new Set(names).size !== names.length || isOften;
}

async function inGroups<Item>(items: readonly Item[], size: number, work: (item: Item) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += size) await Promise.all(items.slice(start, start + size).map(work));
}
