// Which bytes a header `Range` asks for.

import { describe, expect, test } from 'vitest';
import { readRange } from '../../src/http/admin/parts/byte-range.ts';

const range = (text: string, size = 10, more: object = {}) => readRange({ range: text, ...more }, size);

describe('a range', () => {
  test.each<[string, { from: number; end: number } | null]>([
    ['bytes=0-', { from: 0, end: 10 }],
    ['bytes=0-0', { from: 0, end: 1 }],
    ['bytes=9-9', { from: 9, end: 10 }],
    ['Bytes = 2-5 ', { from: 2, end: 6 }],
    ['bytes=3-99999999999999999999999', { from: 3, end: 10 }],
    ['bytes=-3', { from: 7, end: 10 }],
    ['bytes=-99999999999999999999999', { from: 0, end: 10 }],
    // Malformed, or more than one: the whole is sent.
    ['bytes=5-3', null],
    ['bytes=-', null],
    ['bytes=--5', null],
    ['bytes=a-b', null],
    ['bytes=0x1-2', null],
    ['bytes=1.5-2', null],
    ['bytes=0-1,3-4', null],
    ['bytes=0-1, bytes=3-4', null],
    ['lines=0-1', null],
    ['', null],
    ['bytes', null],
  ])('%s', (text, expected) => {
    expect(range(text)).toEqual(expected);
  });

  test.each([
    ['bytes=10-', 10],
    ['bytes=10-5000', 10],
    ['bytes=99999999999999999999999-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-5', 0],
  ])('%s of %i bytes cannot be served', (text, size) => {
    expect(() => range(text, size)).toThrow(
      expect.objectContaining({ code: 'range_not_satisfiable', headers: expect.objectContaining({ 'content-range': `bytes */${size}` }) }),
    );
  });

  test('with If-Range is none, because nothing that it could name was sent', () => {
    expect(range('bytes=0-1', 10, { 'if-range': '"x"' })).toBeNull();
    expect(readRange({}, 10)).toBeNull();
  });
});
