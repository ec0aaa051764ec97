// Prepares each statement when it is used for the first time. A thread has some two hundred, and most starts need a few.

import type { Database, Statement } from 'better-sqlite3';

/**
 * The same database, whose statements are prepared later. A statement with a fault throws at its first use, so a test prepares all
 * of them on the database itself.
 */
export function preparingLater(database: Database): Database {
  return Object.create(database, { prepare: { value: (sql: string) => laterStatement(database, sql) } }) as Database;
}

/** Has those methods of a statement that operations call. */
function laterStatement(database: Database, sql: string) {
  let shape: 'pluck' | 'raw' | null = null;
  const later = {
    pluck() {
      shape = 'pluck';
      return later;
    },
    raw() {
      shape = 'raw';
      return later;
    },
    run: (...values: unknown[]) => prepared().run(...values),
    get: (...values: unknown[]) => prepared().get(...values),
    all: (...values: unknown[]) => prepared().all(...values),
    iterate: (...values: unknown[]) => prepared().iterate(...values),
  };

  /** From now on each method is that of the statement, without a detour. */
  function prepared(): Statement {
    const statement = database.prepare(sql);
    if (shape !== null) statement[shape]();
    for (const method of ['run', 'get', 'all', 'iterate'] as const) later[method] = statement[method].bind(statement) as never;
    return statement;
  }

  return later;
}
