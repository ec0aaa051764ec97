// Values between steps: what is stored comes back as what it was, and callers are shown JSON.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../src/core/json/json.ts';
import { decodeStored, encodeStored, stringifyShown } from '../../src/core/json/stored-value.ts';
import { Tuple } from '../../src/core/python/tuple.ts';
import { Bytes } from '../../src/core/values/bytes.ts';
import { Timestamp } from '../../src/core/values/timestamp.ts';

const typed = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
    fc.uint8Array().map((bytes) => new Bytes(bytes)),
    fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => Timestamp.ofEpoch(ms)),
    fc.array(tie('value')),
    fc.array(tie('value')).map((items) => Tuple.from(items)),
    fc.dictionary(fc.oneof(fc.constantFrom('$bytes', '$timestamp', '$tuple', '$object', '$typed', '__x'), fc.string()), tie('value'), {
      noNullPrototype: true,
    }),
  ),
})).value;

test('whatever a step gives is stored and read back as it was, bytes, timestamps and tuples included', () => {
  fc.assert(
    fc.property(typed, (value) => {
      expect(normal(decodeStored(encodeStored(value)))).toEqual(normal(value));
    }),
  );
});

test('numbers keep their text', () => {
  const text = '{"a":1.0,"b":9007199254740993,"c":1e+20}';
  expect(encodeStored(parseJson(text))).toBe(text);
  expect(stringifyShown(decodeStored(text))).toBe(text);
});

test('an object that imitates the stored form stays an object', () => {
  for (const value of [{ $typed: { $bytes: 'aGk=' } }, { $bytes: 'aGk=' }, { a: { $timestamp: '2026-01-01' } }, { $tuple: [1] }]) {
    expect(decodeStored(encodeStored(value))).toEqual(value);
  }
});

test('callers are shown bytes as base64, timestamps in ISO 8601, and tuples as lists', () => {
  const value = { image: new Bytes(Buffer.from('hi')), at: [Timestamp.ofEpoch(0)], points: [Tuple.of<unknown>(1, [2])] };
  expect(stringifyShown(value)).toBe('{"image":"aGk=","at":["1970-01-01T00:00:00+00:00"],"points":[[1,[2]]]}');
});

test('a tuple beside a number that keeps its text is stored as a tuple', () => {
  for (const value of [[parseJson('1.0'), Tuple.of(1)], { n: parseJson('1.0'), point: Tuple.of(parseJson('8.0'), 2) }]) {
    expect(normal(decodeStored(encodeStored(value)))).toEqual(normal(value));
    expect(stringifyShown(value)).not.toContain('tuple');
  }
});

/** Without prototypes, which JSON does not know. */
function normal(value: unknown): unknown {
  if (value instanceof Bytes) return { bytes: [...value.data] };
  if (value instanceof Timestamp) return { iso: value.isoFormat() };
  if (value instanceof Tuple) return { tuple: value.map(normal) };
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, normal(part)]));
}
