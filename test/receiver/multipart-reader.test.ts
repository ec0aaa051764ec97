// A multipart form in pieces of any size, broken anywhere: the parts that came are told, nothing is thrown, nothing hangs.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ArrivedPart } from '../../src/receiver/arrival.ts';
import type { ReadContent } from '../../src/receiver/content-reader.ts';
import { MultipartReader } from '../../src/receiver/multipart-reader.ts';
import { createSaver } from '../../src/receiver/saved-file.ts';

const noFile = createSaver(null, '');

async function read(body: string, sizes: readonly number[] = [body.length]): Promise<ReadContent & { parts: ArrivedPart[] }> {
  const reader = new MultipartReader('multipart/form-data; boundary=b', noFile);
  const bytes = Buffer.from(body, 'latin1');
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number;
    await reader.write(bytes.subarray(at, at + size));
    at += size;
  }
  const read = await reader.end();
  return { ...read, parts: read.content.kind === 'multipart' ? read.content.parts : [] };
}

const part = (name: string, content: string): string => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const form = (...parts: string[]): string => `${parts.join('')}--b--\r\n`;

test('is the same in whatever pieces it comes', async () => {
  const body = form(part('a', 'one'), part('b', 'x'.repeat(500)), part('', 'no --b boundary'), part('none', ''));
  const whole = await read(body);
  expect(whole.parts.map(({ name, size }) => [name, size])).toEqual([
    ['a', 3],
    ['b', 500],
    ['', 15],
    ['none', 0],
  ]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
      expect(await read(body, sizes)).toEqual(whole);
    }),
    { numRuns: 40 },
  );
});

test('that ends anywhere is told with what came, and never without a fault', async () => {
  const body = form(part('a', 'one'), part('b', 'two'));
  for (let length = 0; length < body.length - '--\r\n'.length; length += 1) {
    const { faults, parts } = await read(body.slice(0, length));
    expect(faults, String(length)).not.toEqual([]);
    expect(parts.length).toBeLessThanOrEqual(2);
  }
});

test('of random bytes is told as broken', async () => {
  const pieces = [
    '--b',
    '--b--',
    '\r\n',
    '\r\n\r\n',
    'Content-Disposition: form-data; name="a"',
    'Content-Type: \0',
    '\xff',
    '--',
    'filename*=x',
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), async (words, size) => {
      const { content } = await read(words.join(''), [size]);
      expect(content.kind).toBe('multipart');
    }),
    { numRuns: 300 },
  );
});

describe('is bounded', () => {
  test('in its parts', async () => {
    const { parts, faults } = await read(form(part('a', 'x').repeat(1500)));
    expect(parts).toHaveLength(1000);
    expect(faults).toEqual(['only the first 1000 parts are shown']);
  });

  test('in the text of a part', async () => {
    const { parts } = await read(form(part('a', 'x'.repeat(200_000))), [7777]);
    expect(parts[0]).toMatchObject({ size: 200_000, text: `${'x'.repeat(4096)}…` });
  });

  test('in the head of a part', async () => {
    const { parts } = await read(form(part('a'.repeat(100_000), 'x'), part('b', 'y')), [4096]);
    expect(parts.every(({ name }) => (name ?? '').length <= 8192)).toBe(true);
  });
});

test('shows a part that says nothing of itself, and says so where there is none', async () => {
  expect(await read('--b\r\nX: y\r\n\r\nz\r\n--b--\r\n')).toMatchObject({ faults: [], parts: [{ name: null, filename: null, text: 'z' }] });
  expect((await read('--b--\r\n')).faults).toEqual(['the multipart form has no parts']);
});

test('tells the part in which it ends, with what came of it', async () => {
  const { parts, faults } = await read(part('a', 'one') + part('b', 'two').slice(0, -2));
  expect(parts.map(({ name, text }) => [name, text])).toEqual([
    ['a', 'one'],
    ['b', 'two'],
  ]);
  expect(faults).toEqual([
    'the multipart form is broken: it ends in the content of "b", before its last boundary line "--b--"',
    'part 2 is cut off',
  ]);
});

test('needs a boundary', () => {
  for (const type of ['multipart/form-data', 'multipart/form-data; boundary', 'multipart/form-data; x=y'])
    expect(() => new MultipartReader(type, noFile), type).toThrow(/oundary/);
});
