// The parts of a request that are passed on: rest of the path, query, headers.

import { describe, expect, test } from 'vitest';
import { appendPath, forwardedHeaders, forwardedQuery, mayForward, wildcardRest } from '../../src/core/run/forwarded-request.ts';
import { isSecretHeader } from '../../src/core/secrets/caller-secrets.ts';
import { listPresets } from '../../src/presets/table.ts';

const namesOf = (headers: string[], names: readonly string[] | null = null): string[] =>
  forwardedHeaders(Object.fromEntries(headers.map((name) => [name, 'x'])), names).map(([name]) => name);

describe('headers', () => {
  test('of every provider are passed on: signatures, times, ids and events', () => {
    const text = JSON.stringify(listPresets());
    const named = [...text.matchAll(/header:([a-z0-9-]+)|"header":"([a-z0-9-]+)"/g)].map(
      ([, place, header]) => (place ?? header) as string,
    );
    const names = [...new Set(named)].filter((name) => !isSecretHeader(name) && name !== 'idempotency-key');
    expect(names.length).toBeGreaterThan(80);
    expect(namesOf(names)).toEqual(names);
  });

  test('that are of a connection or hold a credential are never passed on', () => {
    const never = ['host', 'connection', 'transfer-encoding', 'content-length', 'content-encoding', 'proxy-x', 'authorization', 'cookie'];
    never.push('x-gitlab-token', 'x-api-key', 'upgrade', 'te', 'keep-alive', 'trailer', 'expect');
    expect(namesOf(never)).toEqual([]);
    expect(namesOf(never, never)).toEqual([]);
    expect(never.filter(mayForward)).toEqual([]);
  });

  test('that clients and proxies add are passed on by name alone', () => {
    const added = ['accept', 'accept-encoding', 'user-agent', 'x-forwarded-for', 'sec-fetch-mode', 'cf-ray', 'idempotency-key', 'via'];
    expect(namesOf(added)).toEqual([]);
    expect(namesOf(added, ['User-Agent', 'Via', 'X-Absent'])).toEqual(['user-agent', 'via']);
    expect(namesOf(['content-type', 'x-github-event'], [])).toEqual([]);
  });
});

test.each<[string, Record<string, string>, string | null]>([
  ['/hooks/a/b', { '*': 'a/b' }, 'a/b'],
  ['/hooks/a%20b/%C3%A9', { '*': 'a b/é' }, 'a%20b/%C3%A9'],
  ['/hooks/a%252fb', { '*': 'a%2fb' }, 'a%252fb'],
  ['/a/a/a', { one: 'a', '*': 'a' }, 'a'],
  ['/hooks/a/', { '*': 'a' }, 'a/'],
  ['/hooks/a/', { '*': 'a/' }, 'a/'],
  ['/hooks/a//b', { '*': 'a//b' }, 'a//b'],
  ['/hooks/', { '*': '' }, ''],
  ['/hooks/\u00c3\u00a9', { '*': 'é' }, '%C3%A9'],
  ['/hooks', {}, null],
])('the rest of %s with %j is %j', (path, params, rest) => {
  expect(wildcardRest({ path, params })).toBe(rest);
});

test.each([
  ['https://a.example', 'x/y', 'https://a.example/x/y'],
  ['https://a.example/', 'x', 'https://a.example/x'],
  ['https://a.example/p?q=1', 'x', 'https://a.example/p/x?q=1'],
  ['https://a.example/p/?q=/', 'x/', 'https://a.example/p/x/?q=/'],
  ['https://a.example/p#f', 'x', 'https://a.example/p/x#f'],
  ['https://a.example/p?q=1', '', 'https://a.example/p?q=1'],
])('%s with the rest %j is %s', (url, rest, whole) => {
  expect(appendPath(url, rest)).toBe(whole);
});

test('the query keeps values, their order and every repetition', () => {
  const query = { 'a b': '1&2=3', list: ['', '+', 'ü'], 'x[]': '%41', '': 'none' };
  const text = forwardedQuery(query);
  expect(text).toBe('a%20b=1%262%3D3&list=&list=%2B&list=%C3%BC&x%5B%5D=%2541&=none');
  expect([...new URLSearchParams(text)]).toEqual([
    ['a b', '1&2=3'],
    ['list', ''],
    ['list', '+'],
    ['list', 'ü'],
    ['x[]', '%41'],
    ['', 'none'],
  ]);
});
