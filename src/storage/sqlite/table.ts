// Describes a table once, one line per column. The text of its INSERT, the packed form in which a record crosses to the writer
// thread and the type of its rows are derived from the description, so that the order of columns is written only there.

import type { Database, RunResult } from 'better-sqlite3';

type SqlValue = string | number | null | Uint8Array;

interface Given<Value> {
  readonly kind: 'given';
  readonly value?: Value;
}

interface Preset<Value> {
  readonly kind: 'preset';
  readonly value?: Value;
}

interface Beside<Source, Value> {
  readonly kind: 'beside';
  readonly get: (source: Source) => Value;
}

/** A column whose value is known only when the row is inserted. */
export function given<Value extends SqlValue>(): Given<Value> {
  return { kind: 'given' };
}

/** A column that an INSERT omits: a row number, a default, or null. */
export function preset<Value extends SqlValue>(): Preset<Value> {
  return { kind: 'preset' };
}

/** Not a column: a value that the writer thread needs in addition to the row. */
export function beside<Source, Value>(get: (source: Source) => Value): Beside<Source, Value> {
  return { kind: 'beside', get };
}

/** A function is a column whose value is packed. */
type Field<Source> = ((source: Source) => SqlValue) | Beside<Source, unknown> | Given<SqlValue> | Preset<SqlValue>;
type Fields<Source> = Readonly<Record<string, Field<Source>>>;

type CrossingColumn = (source: never) => SqlValue;
type Crossing = CrossingColumn | Beside<never, unknown>;
type ValueOf<F> = F extends (source: never) => infer Value
  ? Value
  : F extends Beside<never, infer Value>
    ? Value
    : F extends Given<infer Value> | Preset<infer Value>
      ? Value
      : never;
type ValuesOf<F, Kind> = { [Name in keyof F as F[Name] extends Kind ? Name : never]: ValueOf<F[Name]> };

declare const VALUES: unique symbol;
type PackedValues<F> = unknown[] & { readonly [VALUES]: ValuesOf<F, Crossing> };
type Insert<F> = (
  row: ValuesOf<F, Given<SqlValue>>,
  ...packed: keyof ValuesOf<F, CrossingColumn> extends never ? [] : [PackedValues<F>]
) => RunResult;

/** A packed record: values without names, which only its own table can read and insert. */
export type Packed<T extends { readonly packed: unknown }> = T['packed'];
/** A row as `SELECT *` returns it. */
export type Row<T extends { readonly row: unknown }> = T['row'];

export class Table<Source, F extends Fields<Source>> {
  declare readonly packed: PackedValues<F>;
  declare readonly row: ValuesOf<F, CrossingColumn | Given<SqlValue> | Preset<SqlValue>>;

  readonly name: string;
  /** All columns, in the order of the description. */
  readonly columns: readonly string[];
  readonly #given: string[] = [];
  readonly #crossing: string[] = [];
  readonly #getters: ((source: Source) => unknown)[] = [];
  readonly #indexes: ReadonlyMap<keyof F, number>;
  /** The number of packed values that are not columns. They come first. */
  readonly #besides: number;

  constructor(name: string, fields: F) {
    this.name = name;
    const besides: [string, (source: Source) => unknown][] = [];
    const columns: [string, (source: Source) => unknown][] = [];
    for (const [key, field] of Object.entries(fields)) {
      if (typeof field === 'function') columns.push([key, field]);
      else if (field.kind === 'beside') besides.push([key, field.get]);
      else if (field.kind === 'given') this.#given.push(key);
    }
    const isBeside = new Set(besides.map(([key]) => key));
    this.columns = Object.keys(fields).filter((key) => !isBeside.has(key));
    this.#besides = besides.length;
    this.#crossing = columns.map(([column]) => column);
    this.#getters = [...besides, ...columns].map(([, get]) => get);
    this.#indexes = new Map([...besides, ...columns].map(([key], index) => [key, index]));
  }

  /** Returns a flat list: an object with names costs far more to copy to another thread. */
  pack(source: Source): PackedValues<F> {
    const values: unknown[] = [];
    for (const get of this.#getters) values.push(get(source));
    return values as PackedValues<F>;
  }

  read<Name extends keyof ValuesOf<F, Crossing>>(packed: PackedValues<F>, name: Name): ValuesOf<F, Crossing>[Name] {
    return packed[this.#indexes.get(name) as number] as ValuesOf<F, Crossing>[Name];
  }

  /** The text `status = ?, progress = ?`, for an UPDATE with the values of `assigned`. */
  get assignments(): string {
    return this.#crossing.map((column) => `${column} = ?`).join(', ');
  }

  assigned(packed: PackedValues<F>): unknown[] {
    return packed.slice(this.#besides);
  }

  /** Prepares an INSERT. `onConflict` is its clause for a row that exists already. */
  insert(database: Database, onConflict = ''): Insert<F> {
    const given = this.#given;
    const columns = [...given, ...this.#crossing];
    const placeholders = columns.map(() => '?');
    const statement = database.prepare(
      `INSERT INTO ${this.name} (${columns.join(', ')}) VALUES (${placeholders.join(', ')}) ${onConflict}`,
    );
    const besides = this.#besides;
    return (row: Readonly<Record<string, unknown>>, packed: readonly unknown[] = []) => {
      const values: unknown[] = [];
      for (const column of given) values.push(row[column]);
      for (let index = besides; index < packed.length; index += 1) values.push(packed[index]);
      return statement.run(...values);
    };
  }

  /** Prepares an INSERT that replaces all columns of an existing row except its key and those in `keeps`. */
  upsert(
    database: Database,
    { key, keeps = [] }: { key: readonly (keyof F & string)[]; keeps?: readonly (keyof F & string)[] },
  ): Insert<F> {
    const replaced = [...this.#given, ...this.#crossing].filter((column) => !key.includes(column) && !keeps.includes(column));
    const assignments = replaced.map((column) => `${column} = excluded.${column}`);
    return this.insert(database, `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${assignments.join(', ')}`);
  }
}

/** `table<Step>('steps').columns({ run_id: given<number>(), name: (step) => step.name })`. */
export function table<Source = never>(name: string) {
  return { columns: <F extends Fields<Source>>(fields: F): Table<Source, F> => new Table(name, fields) };
}
