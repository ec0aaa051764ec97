// The cache of fetched documents: when it fetches, and what bounds it.

import { expect, test } from 'vitest';
import { DocumentCache } from '../../src/presets/remote/document-cache.ts';
import { Unreachable } from '../../src/presets/remote/fetch-text.ts';

const KEEP_MS = 1000;
const url = (number: number): string => `https://keys.example/${number}`;

function openCache(answer: (url: string) => Promise<string> = async (text) => text) {
  const fetched: string[] = [];
  const cache = new DocumentCache({
    fetchText: (text) => {
      fetched.push(text);
      return answer(text);
    },
    read: (text) => ({ text }),
    keepMs: KEEP_MS,
  });
  return { cache, fetched };
}

test('fetches a document once, until it is too old', async () => {
  const { cache, fetched } = openCache();
  const first = await cache.get(url(1), 0);
  expect(await cache.get(url(1), KEEP_MS)).toBe(first);
  expect(await cache.get(url(1), KEEP_MS + 1)).not.toBe(first);
  expect(await cache.get(url(1), KEEP_MS + 60, 50)).not.toBe(first);
  expect(fetched.length).toBe(3);
});

test('fetches a document once for requests that come together', async () => {
  const { cache, fetched } = openCache();
  const [one, other] = await Promise.all([cache.get(url(1), 0), cache.get(url(1), 0)]);
  expect(one).toBe(other);
  expect(fetched.length).toBe(1);
});

test('fetches eight documents at a time', async () => {
  const { cache, fetched } = openCache(() => new Promise(() => undefined));
  for (let number = 0; number < 8; number += 1) void cache.get(url(number), 0);
  await expect(cache.get(url(8), 0)).rejects.toThrow('too many keys of senders are being fetched');
  expect(fetched.length).toBe(8);
});

test('keeps 64 documents, and drops the one that it fetched first', async () => {
  const { cache, fetched } = openCache();
  for (let number = 0; number <= 64; number += 1) await cache.get(url(number), 0);
  await cache.get(url(1), 0);
  expect(fetched.length).toBe(65);
  await cache.get(url(0), 0);
  expect(fetched.length).toBe(66);
});

test('tries a fetch that failed again after 10 s, and forgets no document for one', async () => {
  const { cache, fetched } = openCache(async (text) => {
    if (text === url(1)) return text;
    throw new Error('the answer is 404');
  });
  await cache.get(url(1), 0);
  for (let number = 2; number < 100; number += 1)
    await expect(cache.get(url(number), 0)).rejects.toThrow('the key of the sender cannot be fetched from keys.example: the answer is 404');
  await cache.get(url(1), 0);
  expect(fetched.length).toBe(99);
  await expect(cache.get(url(99), 10_000)).rejects.toThrow(Unreachable);
  expect(fetched.length).toBe(99);
  await expect(cache.get(url(99), 10_001)).rejects.toThrow(Unreachable);
  expect(fetched.length).toBe(100);
});
