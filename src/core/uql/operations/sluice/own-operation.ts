// Sluice's own operations: their types begin with `sluice/`, and their errors are in Sluice's words.

import { type Kind, kindOf } from '../../../python/kind.ts';
import { Bytes } from '../../../values/bytes.ts';
import { defineOperation, type Operation, type Parameters, type Settings } from '../operation.ts';
import { OperationFault } from '../operation-fault.ts';

/** Returns the error of an operation that refuses its value. */
export type Refuse = (message: string) => OperationFault;

export interface OwnOperation<Declared extends Parameters> {
  /** The type without `sluice/`. */
  name: string;
  summary: string;
  parameters: Declared;
  /** Throws the error of `refuse`. */
  apply: (value: unknown, settings: Settings<Declared>, refuse: Refuse) => unknown;
}

export function defineOwnOperation<Declared extends Parameters>({ name, apply, ...shown }: OwnOperation<Declared>): Operation {
  const type = `sluice/${name}`;
  return defineOperation({
    ...shown,
    type,
    apply: (value, settings: Settings<Declared>, _context, place) =>
      apply(value, settings, (message) => new OperationFault('OperationError', `${type} in ${place}: ${message}`)),
  });
}

const MAX_CHARACTERS = 10 * 2 ** 20;

export function readText(value: unknown, refuse: Refuse): string {
  if (typeof value !== 'string') throw refuse(`the value must be text, but is ${kindInWords(value)}`);
  if (value.length > MAX_CHARACTERS) throw refuse(`the text has ${value.length} characters, and at most ${MAX_CHARACTERS} are allowed`);
  return value;
}

const UTF8 = new TextEncoder();
const HALF_CHARACTER = /\p{Surrogate}/u;

/** The bytes of a text in UTF-8, or bytes themselves. */
export function readBytes(value: unknown, refuse: Refuse): Uint8Array {
  if (value instanceof Bytes) return value.data;
  const text = readText(value, refuse);
  if (HALF_CHARACTER.test(text)) throw refuse('the text holds half of a surrogate pair, which has no bytes in UTF-8');
  return UTF8.encode(text);
}

const WORDS: Readonly<Record<Kind, string>> = {
  NoneType: 'null',
  bool: 'a boolean',
  int: 'a number',
  float: 'a number',
  str: 'text',
  list: 'a list',
  tuple: 'a list',
  dict: 'an object',
  bytes: 'bytes',
  datetime: 'a timestamp',
};

export function kindInWords(value: unknown): string {
  return WORDS[kindOf(value)];
}
