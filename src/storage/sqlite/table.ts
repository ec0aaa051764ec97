// One description of a table, a line for each column. The text of its INSERT, the flat list in which a record crosses to
// the writer thread and the type of its rows follow from it, so that the order of columns stands nowhere else.

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

/** A column whose value is known only where the row is inserted. */
export function given<Value extends SqlValue>(): Given<Value> {
  return { kind: 'given' };
}

/** A column that an INSERT leaves to the schema: the number of the new row, a default, or null. */
export function preset<Value extends SqlValue>(): Preset<Value> {
  return { kind: 'preset' };
}

/** No column: a value that the writer thread needs beside the row. */
export function beside<Source, Value>(get: (source: Source) => Value): Beside<Source, Value> {
  return { kind: 'beside', get };
}

/** A function is a column whose value crosses to the writer thread. */
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

/** A record on its way to the writer thread: values without names, which only its own table can read and insert. */
export type Packed<T extends { readonly packed: unknown }> = T['packed'];
/** A row as `SELECT *` gives it. */
export type Row<T extends { readonly row: unknown }> = T['row'];

export class Table<Source, F extends Fields<Source>> {
  declare readonly packed: PackedValues<F>;
  declare readonly row: ValuesOf<F, CrossingColumn | Given<SqlValue> | Preset<SqlValue>>;

  readonly name: string;
  /** All of them, in the order of the description. */
  readonly columns: readonly string[];
  readonly #given: string[] = [];
  readonly #crossing: string[] = [];
  readonly #getters: ((source: Source) => unknown)[] = [];
  readonly #places: ReadonlyMap<keyof F, number>;
  /** How many of the packed values are no columns; they come first. */
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
    this.#places = new Map([...besides, ...columns].map(([key], place) => [key, place]));
  }

  /** Straight into one list: an object with names would cost far more to copy to another thread. */
  pack(source: Source): PackedValues<F> {
    const values: unknown[] = [];
    for (const get of this.#getters) values.push(get(source));
    return values as PackedValues<F>;
  }

  read<Name extends keyof ValuesOf<F, Crossing>>(packed: PackedValues<F>, name: Name): ValuesOf<F, Crossing>[Name] {
    return packed[this.#places.get(name) as number] as ValuesOf<F, Crossing>[Name];
  }

  /** `status = ?, progress = ?`, for an UPDATE with the values of `assigned`. */
  get assignments(): string {
    return this.#crossing.map((column) => `${column} = ?`).join(', ');
  }

  assigned(packed: PackedValues<F>): unknown[] {
    return packed.slice(this.#besides);
  }

  /** Ends with what to do about a row that is there already. */
  insert(database: Database, onConflict = ''): Insert<F> {
    const given = this.#given;
    const columns = [...given, ...this.#crossing];
    const places = columns.map(() => '?');
    const statement = database.prepare(`INSERT INTO ${this.name} (${columns.join(', ')}) VALUES (${places.join(', ')}) ${onConflict}`);
    const besides = this.#besides;
    return (row: Readonly<Record<string, unknown>>, packed: readonly unknown[] = []) => {
      const values: unknown[] = [];
      for (const column of given) values.push(row[column]);
      for (let place = besides; place < packed.length; place += 1) values.push(packed[place]);
      return statement.run(...values);
    };
  }

  /** An INSERT that replaces all columns of a row that is there already but its key and what it keeps. */
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
