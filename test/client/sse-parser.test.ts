// The parser of server-sent events, over every way in which a network may cut the bytes.

import { describe, expect, test } from 'vitest';
import { createSseParser, type SseEvent } from '../../src/client/sse-parser.ts';

/** Every form that the standard allows: all three line ends, comments, a byte order mark, unknown fields. */
const SAMPLE = [
  '\uFEFF: a comment first\n\n',
  'id: 1\ndata: {"progress":0}\n\n',
  ': heartbeat\n\n',
  'id: 2\r\ndata: two\r\ndata:  lines\r\n\r\n',
  'data: carriage\rid: 3\r\r',
  'event: ignored\nretry: 10\ndata\n\n',
  'data: größer 🚰\n\n',
  'id: bad\0id\ndata:colon: kept\n\n',
  'id: 9\n\n',
  'data: cut off',
].join('');

const EXPECTED: SseEvent[] = [
  { id: '1', data: '{"progress":0}' },
  { id: '2', data: 'two\n lines' },
  { id: '3', data: 'carriage' },
  { id: '3', data: '' },
  { id: '3', data: 'größer 🚰' },
  { id: '3', data: 'colon: kept' },
];

const BYTES = new TextEncoder().encode(SAMPLE);

function parseAll(...chunks: Uint8Array[]): SseEvent[] {
  const parse = createSseParser();
  return chunks.flatMap((chunk) => parse(chunk));
}

describe('a stream of server-sent events', () => {
  test('is read as the standard says when it comes in one piece', () => {
    expect(parseAll(BYTES)).toEqual(EXPECTED);
  });

  test('is read the same when it comes byte by byte', () => {
    expect(parseAll(...Array.from(BYTES, (byte) => Uint8Array.of(byte)))).toEqual(EXPECTED);
  });

  test('is read the same for every pair of places where it is cut', () => {
    const wrong: string[] = [];
    const wanted = JSON.stringify(EXPECTED);
    for (let first = 0; first <= BYTES.length; first += 1) {
      for (let second = first; second <= BYTES.length; second += 1) {
        const events = parseAll(BYTES.subarray(0, first), BYTES.subarray(first, second), BYTES.subarray(second));
        if (JSON.stringify(events) !== wanted) wrong.push(`${first}, ${second}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('gives an event as soon as its blank line has come, whatever ends that line', () => {
    for (const lineEnd of ['\n', '\r', '\r\n']) {
      const bytes = new TextEncoder().encode(`data: x${lineEnd}${lineEnd}`);
      expect(parseAll(bytes)).toEqual([{ id: '', data: 'x' }]);
    }
  });

  test('holds an event of many megabytes that comes in small pieces', () => {
    const data = 'x'.repeat(8 * 2 ** 20);
    const bytes = new TextEncoder().encode(`data: ${data}\n\n`);
    const parse = createSseParser();
    const events: SseEvent[] = [];
    for (let start = 0; start < bytes.length; start += 4096) events.push(...parse(bytes.subarray(start, start + 4096)));
    expect(events.map((event) => event.data.length)).toEqual([data.length]);
  });
});
