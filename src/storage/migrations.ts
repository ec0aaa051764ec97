// Applies numbered, forward-only migrations. Each runs in a transaction with its own record; a file that was
// changed after it was applied, or a database that a newer program has migrated, is refused.

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

/** Reads a folder of migrations in order. Throws when a name is malformed or a number is missing or taken. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).sort();
  return names.map((name, index) => {
    const number = Number(FILE_NAME.exec(name)?.[1]);
    if (number !== index + 1) throw new Error(`migration "${name}" should be number ${index + 1}, as in 0001_init.sql`);
    const sql = readFileSync(join(folder, name), 'utf8');
    return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** The migrations still to apply. Throws, with what to do, when the database and the program disagree on the past. */
export function pendingMigrations(known: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  for (const past of applied) {
    const migration = known[past.number - 1];
    if (migration === undefined) {
      throw new Error(
        `the database is newer than this program: it holds migration ${past.name}, and the newest known here is ${known.at(-1)?.name ?? 'none'}; start the version that made it, or restore an older backup`,
      );
    }
    if (migration.checksum !== past.checksum) {
      throw new Error(`migration ${past.name} was changed after it was applied to this database; restore the file as it was`);
    }
  }
  return known.slice(applied.length);
}
