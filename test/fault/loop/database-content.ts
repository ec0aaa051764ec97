// The content of a database as comparable values, and the content that it should have.

import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { Database } from 'better-sqlite3';
import type { Batch } from '../../../src/storage/commit-queue.ts';
import type { ThreadResult } from '../../../src/storage/sqlite/batches.ts';
import { lockDataDirectory } from '../../../src/storage/sqlite/database-file/data-lock.ts';
import {
  type OpenOptions,
  openDatabase,
  readDatabaseState,
  WITNESS_FILE,
} from '../../../src/storage/sqlite/database-file/open-database.ts';
import { type DatabaseState, openWitness, readWitness } from '../../../src/storage/sqlite/database-file/witness.ts';
import { openWriter } from '../../../src/storage/sqlite/writer.ts';

/** A hash of all rows, by table. */
type Content = Record<string, string>;

export interface Found {
  content: Content;
  /** Commits that the witness did not count. */
  uncounted: number;
}

export interface Expectation {
  results: ThreadResult[];
  content: Content;
}

export function writerOptions(directory: string): OpenOptions {
  return { directory, migrationsFolder: join(import.meta.dirname, '../../../migrations/sqlite'), acceptLoss: false };
}

/** Reads all tables. Throws if SQLite finds the database damaged. The id and the count of commits are left out. */
function contentOf(database: Database): Content {
  const integrity = database.pragma('integrity_check', { simple: true });
  if (integrity !== 'ok') throw new Error(`integrity_check: ${integrity}`);
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'database_state'").pluck().all();
  const hashOf = (name: unknown): string => {
    const rows = database.prepare(`SELECT * FROM "${name}"`).raw().all();
    return createHash('sha1').update(serialize(rows)).digest('hex');
  };
  return Object.fromEntries(names.map((name) => [name, hashOf(name)]));
}

/**
 * Opens a database like a start of the server: lock, comparison with the witness, migrations, a new witness. Returns its
 * content, makes a commit and closes it. In place of the writer, whose hundred statements take longer than all of this.
 */
export function startAndStop(directory: string): Found {
  const before = readWitness(join(directory, WITNESS_FILE));
  const unlock = lockDataDirectory(directory);
  const database = openDatabase(writerOptions(directory));
  try {
    const content = contentOf(database);
    const state = readDatabaseState(database) as DatabaseState;
    const counted = before === null || before === 'unreadable' ? 0 : before.commitSeq;
    const witness = openWitness(join(directory, WITNESS_FILE), state);
    const commit = database.prepare('UPDATE database_state SET commit_seq = commit_seq + 1 RETURNING commit_seq').pluck();
    witness.record(commit.get() as number);
    witness.close();
    return { content, uncounted: state.commitSeq - counted };
  } finally {
    database.close();
    unlock();
  }
}

export function differingTables(content: Content, expected: Content): string[] {
  const names = new Set([...Object.keys(content), ...Object.keys(expected)]);
  return [...names].filter((name) => content[name] !== expected[name]);
}

/** Copies a data directory as a crash leaves it: the next start builds the index of the log anew. */
export function copyDirectory(from: string, parent: string): string {
  const to = mkdtempSync(join(parent, 'copy-'));
  for (const name of readdirSync(from)) if (!name.endsWith('-shm')) copyFileSync(join(from, name), join(to, name));
  return to;
}

/** Knows what batches return and leave in a database that nothing happens to. */
export class Oracle {
  /** A data directory with the first commits. */
  readonly template: string;
  readonly #folder: string;
  readonly #known = new Map<string, Expectation>();

  /** `folder` is for databases of its own, which begin with the commits `before`. */
  constructor(folder: string, before: readonly Batch[]) {
    this.#folder = folder;
    this.template = join(folder, 'template');
    mkdirSync(this.template, { recursive: true });
    const writer = openWriter(writerOptions(this.template));
    for (const batch of before) writer.run(structuredClone(batch));
    writer.close();
  }

  /** `key` identifies the batches. */
  expect(key: string, batches: readonly Batch[]): Expectation {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const directory = copyDirectory(this.template, this.#folder);
    const writer = openWriter(writerOptions(directory));
    const results = batches.map((batch) => writer.run(structuredClone(batch)));
    writer.close();
    const expectation = { results, content: startAndStop(directory).content };
    rmSync(directory, { recursive: true });
    this.#known.set(key, expectation);
    return expectation;
  }
}
