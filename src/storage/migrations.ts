// Reads numbered, forward-only migrations and selects those to apply. Refuses a file that was changed after it was applied,
// and a database that a newer program has migrated.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Migration {
  number: number;
  name: string;
  sql: string;
  checksum: string;
}

export interface AppliedMigration {
  number: number;
  name: string;
  checksum: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** Reads a folder of migrations in order. Throws if a name is malformed, or a number is missing or used twice. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).sort();
  return names.map((name, index) => {
    const number = Number(FILE_NAME.exec(name)?.[1]);
    if (number !== index + 1)
      throw new Error(`migration "${name}" must begin with its number, ${String(index + 1).padStart(4, '0')}, like 0001_init.sql`);
    const sql = readFileSync(join(folder, name), 'utf8');
    return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** Returns the migrations to apply. Throws if the applied ones are not the known ones; the message says what to do. */
export function pendingMigrations(known: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  for (const past of applied) {
    const migration = known[past.number - 1];
    if (migration === undefined) {
      throw new Error(
        `the database is newer than this program: it has migration ${past.name}, and the newest that the program knows is ${known.at(-1)?.name ?? 'none'}; start the newer version, or restore an older backup`,
      );
    }
    if (migration.checksum !== past.checksum) {
      throw new Error(`migration ${past.name} was changed after it was applied to this database; restore the original file`);
    }
  }
  return known.slice(applied.length);
}
