// The body of a request, read again from the bytes that were stored, and pairs grouped by name.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringifyJson } from '../../src/core/json/json.ts';
import { type BodyKind, decodeBody, type FileHandle, groupPairs } from '../../src/core/run/request.ts';

const FILE: FileHandle = { name: 'body', filename: null, content_type: 'image/png', size: 1, sha256: 'f'.repeat(64) };

function decode(kind: BodyKind, bytes: string | Uint8Array, charset = 'utf-8', files: FileHandle[] = []): unknown {
  return decodeBody({ kind, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, charset }, files);
}

describe('a stored body', () => {
  test('is read as its kind says', () => {
    expect(decode('empty', '')).toBeNull();
    expect(stringifyJson(decode('json', '{"n":1.0}'))).toBe('{"n":1.0}');
    expect(stringifyJson(decode('multipart', '{"n":1.0}'))).toBe('{"n":1.0}');
    expect(decode('form', 'a=1&a=2&b=')).toEqual({ a: ['1', '2'], b: '' });
    expect(decode('text', '{"n":1.0}')).toBe('{"n":1.0}');
    expect(decode('file', '', 'utf-8', [FILE])).toBe(FILE);
    expect(decode('file', '')).toBeNull();
  });

  test('text and forms are read in their character set', () => {
    expect(decode('text', Uint8Array.from([0xe9]), 'iso-8859-1')).toBe('\u00e9');
    expect(decode('form', Uint8Array.from([0x61, 0x3d, 0xe9]), 'iso-8859-1')).toEqual({ a: '\u00e9' });
  });

  test('bytes that are not of the character set are an error, and never a wrong letter', () => {
    for (const kind of ['text', 'json', 'form'] as const)
      expect(() => decode(kind, Uint8Array.from([0x22, 0xff, 0x22]))).toThrow(TypeError);
    expect(() => decode('text', 'x', 'klingon')).toThrow(RangeError);
  });
});

describe('pairs', () => {
  test('of one name are a list in their order, and lists stay lists', () => {
    expect(
      groupPairs<unknown>([
        ['a', 1],
        ['b', 2],
        ['a', 3],
        ['c', [4]],
        ['d', [5]],
        ['d', 6],
      ]),
    ).toEqual({ a: [1, 3], b: 2, c: [4], d: [[5], 6] });
  });

  test('of any names lose nothing and touch no prototype', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '0', ''));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.integer())), (pairs) => {
        const grouped = groupPairs(pairs);
        expect(Object.values(grouped).flat()).toHaveLength(pairs.length);
        for (const [key, value] of pairs)
          expect([grouped].flatMap((group) => Object.getOwnPropertyDescriptor(group, key)?.value)).toContain(value);
        expect(Object.getPrototypeOf(grouped)).toBe(Object.prototype);
      }),
    );
  });
});
