// Forms and queries taken apart: as URLSearchParams does, save that nothing undecodable passes and any character set counts.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForm, parseQuery, UndecodableField } from '../../src/core/form/form-decoding.ts';

const LATIN1 = 'windows-1252';

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const piece = fc.oneof(
  fc.constantFrom('&', '=', '+', '%', '%2', '%zz', '%41', '%26', '%3D', '%25', '%C3%A9', '%e9', '%00', 'a', ' '),
  fc.string(),
);
const ascii = fc.array(piece).map((pieces) => pieces.join('').replaceAll(/[^\0-\x7f]/g, ''));

/** Its constructor takes a leading `?` away, which belongs to the first name of a form. */
const parsedByNode = (text: string): [string, string][] => [...new URLSearchParams(text.startsWith('?') ? `?${text}` : text)];

describe('a form', () => {
  test('keeps a question mark that its first name begins with', () => {
    expect(parseForm(bytesOf('?a=1&?b=2'), 'utf-8')).toEqual([
      ['?a', '1'],
      ['?b', '2'],
    ]);
    expect(parseForm(bytesOf('?a=1&?b=2'), LATIN1)).toEqual([
      ['?a', '1'],
      ['?b', '2'],
    ]);
  });

  test('is taken apart as URLSearchParams does, in any character set that holds ASCII', () => {
    fc.assert(
      fc.property(
        ascii.filter((text) => !/%[89a-f]/i.test(text)),
        (text) => {
          const expected = parsedByNode(text);
          expect(parseForm(bytesOf(text), LATIN1)).toEqual(expected);
          expect(parseForm(bytesOf(text), 'utf-8')).toEqual(expected);
        },
      ),
    );
  });

  test('holds a replacement character only where it was sent: all else is an error that names the field', () => {
    fc.assert(
      fc.property(ascii, (text) => {
        const lenient = parsedByNode(text);
        const isWhole = !lenient.flat().some((part) => part.includes('\ufffd'));
        let pairs: unknown;
        try {
          pairs = parseQuery(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableField);
        }
        expect(pairs).toEqual(isWhole ? lenient : undefined);
      }),
    );
    expect(parseQuery('a=%EF%BF%BD')).toEqual([['a', '\ufffd']]);
  });

  test('names an undecodable field with escapes, and not at any length', () => {
    const name = (text: string): string => {
      try {
        parseForm(bytesOf(text), 'utf-8');
      } catch (error) {
        return (error as UndecodableField).field;
      }
      return '';
    };
    expect(name('ok=1&a%20b=%E9')).toBe('a%20b');
    expect(name(`${'x'.repeat(10_000)}=%E9`)).toHaveLength(100);
  });
});
