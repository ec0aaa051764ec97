// One check of a value against a schema: where it is in the value, the faults so far, and how much work is left.

import type { Fault } from '../fault.ts';
import { pointerOf } from '../json/json-pointer.ts';
import { cutText } from '../values/cut-text.ts';
import type { JsonType } from './json-type.ts';

export interface SchemaFault extends Fault {
  /** RFC 6901. */
  pointer: string;
}

/** Faults that are listed; the others are counted. */
const MAX_FAULTS = 100;
/** In bytes: keys of the value may be long. */
const MAX_SHOWN_PLACE = 256;

/** A part of a schema that a value must fit. */
export interface SchemaNode {
  /** Null: values of every type may fit. */
  readonly types: readonly JsonType[] | null;
  visit(value: unknown, evaluation: Evaluation): void;
}

/** The faults of one attempt. Places and messages are written only for those that are shown. */
export interface Report {
  faults: { keys: readonly (string | number)[]; message: string | (() => string) }[];
  count: number;
}

export class WorkExceeded extends Error {}

/** Of a fault that is kept, with its place. */
const FAULT_WORK = 2;

export class Evaluation {
  readonly #path: (string | number)[] = [];
  /** Of the whole check. */
  readonly #found: Report = { faults: [], count: 0 };
  /** Of the current attempt. */
  #report = this.#found;
  #work: number;

  /** `work` is in visits of a value by a part of the schema. */
  constructor(work: number) {
    this.#work = work;
  }

  /** Of the current attempt. */
  get count(): number {
    return this.#report.count;
  }

  /** Of the whole check, so far. */
  found(): { faults: SchemaFault[]; count: number } {
    const faults = this.#found.faults.map(({ keys, message }) => ({
      path: cutText(readablePath(keys.map(shownKey)), MAX_SHOWN_PLACE),
      pointer: cutText(pointerOf(keys.map(shownKey)), MAX_SHOWN_PLACE),
      message: textOf(message),
    }));
    return { faults, count: this.#found.count };
  }

  /** Throws WorkExceeded when nothing is left. */
  spend(work: number): void {
    this.#work -= work;
    if (this.#work < 0) throw new WorkExceeded();
  }

  fault(message: string | (() => string)): void {
    const { faults } = this.#report;
    this.#report.count += 1;
    if (faults.length >= MAX_FAULTS) return;
    this.spend(FAULT_WORK + (this.#path.length >> 2));
    faults.push({ keys: this.#path.slice(), message });
  }

  /** Visits a part of the current value. */
  within(key: string | number, node: SchemaNode, value: unknown): void {
    this.#path.push(key);
    node.visit(value, this);
    this.#path.pop();
  }

  /** Visits the current value, and returns the faults instead of reporting them. */
  attempt(node: SchemaNode, value: unknown): Report {
    const outer = this.#report;
    this.#report = { faults: [], count: 0 };
    node.visit(value, this);
    const attempted = this.#report;
    this.#report = outer;
    return attempted;
  }

  /** As `attempt`, for a part of the current value. */
  attemptWithin(key: string | number, node: SchemaNode, value: unknown): Report {
    this.#path.push(key);
    const attempted = this.attempt(node, value);
    this.#path.pop();
    return attempted;
  }

  /** Reports the faults of an attempt. */
  include({ faults, count }: Report): void {
    this.spend(faults.length);
    this.#report.count += count;
    this.#report.faults.push(...faults.slice(0, MAX_FAULTS - this.#report.faults.length));
  }
}

export function textOf(message: string | (() => string)): string {
  return typeof message === 'string' ? message : message();
}

/** Keys are cut first: together they may be as long as the value. */
function shownKey(key: string | number): string | number {
  return typeof key === 'number' ? key : key.slice(0, MAX_SHOWN_PLACE);
}

/** As `steps[2].values.x`. */
export function readablePath(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`), '');
}
