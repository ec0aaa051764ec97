// Parts that say how their bytes are encoded: decoded in any pieces, or refused.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTransferDecoder } from '../../../src/core/form/transfer-encoding.ts';

function decode(encoding: string, text: string, pieceLength = text.length || 1): string {
  const decoder = createTransferDecoder(encoding, (why) => new Error(`it ${why}`));
  if (decoder === null) return text;
  const bytes = Buffer.from(text, 'latin1');
  const decoded: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) decoded.push(decoder.push(bytes.subarray(at, at + pieceLength)));
  return Buffer.concat([...decoded, decoder.end()]).toString('latin1');
}

/** As a mail program writes it. */
function quotedPrintable(bytes: Uint8Array): string {
  const escaped = [...bytes].map((byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x3d ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  const lines: string[] = [];
  for (let at = 0; at < escaped.length; at += 20) lines.push(escaped.slice(at, at + 20).join(''));
  return lines.join('=\r\n');
}

const bytes = fc.uint8Array({ maxLength: 200 });
const pieceLength = fc.integer({ min: 1, max: 90 });

describe('base64', () => {
  test('gives the bytes, in lines and in any pieces', () => {
    fc.assert(
      fc.property(bytes, pieceLength, (content, length) => {
        const text = Buffer.from(content).toString('base64').replaceAll(/.{76}/g, '$&\r\n');
        expect(decode('base64', text, length)).toBe(Buffer.from(content).toString('latin1'));
      }),
    );
    expect(decode('base64', 'aGVsbG8=')).toBe('hello');
    expect(decode('base64', '')).toBe('');
  });

  test.each(['aGVsbG8', 'aGVsbG8=x', 'aGVsb=G8', 'aGV%bG8=', 'a===', '=', 'a', 'aGVsbG8==', 'aGVs\0bG8=', 'aGVs-G8_'])(
    'refuses %j in any pieces',
    (text) => {
      for (const length of [1, 2, 3, 4, 5, 100])
        expect(() => decode('base64', text, length), `${length}`).toThrow(/^it says that it is base64, and /);
    },
  );
});

describe('quoted-printable', () => {
  test('gives the bytes, in lines and in any pieces', () => {
    fc.assert(
      fc.property(bytes, pieceLength, (content, length) => {
        expect(decode('quoted-printable', quotedPrintable(content), length)).toBe(Buffer.from(content).toString('latin1'));
      }),
    );
  });

  test('keeps what needs no escape, and drops soft line breaks', () => {
    for (const length of [1, 2, 3, 100]) {
      expect(decode('quoted-printable', 'a=3D=c3=A9 b \r\nc=\r\nd= \t\r\ne=', length)).toBe('a=\xc3\xa9 b \r\ncde');
    }
  });

  test.each(['a=b', '=4', '=G0', '==41', 'a=\nb', 'a=\r', `a=${' '.repeat(300)}\r\nb`])('refuses %j in any pieces', (text) => {
    for (const length of [1, 2, 3, 1000])
      expect(() => decode('quoted-printable', text, length), `${length}`).toThrow(/^it says that it is quoted-printable, and /);
  });
});

test('other encodings change nothing or are refused', () => {
  for (const encoding of ['7bit', '8bit', 'binary']) expect(decode(encoding, '=41\xe9')).toBe('=41\xe9');
  expect(() => decode('x-uuencode', '')).toThrow('it has the Content-Transfer-Encoding "x-uuencode", which is not known');
});
