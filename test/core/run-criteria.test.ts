// What a search of runs finds in a run, and what it must never find: a value that the API masks.

import { describe, expect, test } from 'vitest';
import { createRunMatcher, MAX_SEARCHED, SEARCHED_PARTS, type SearchedRun } from '../../src/core/run/run-criteria.ts';
import { formatPlaceholder } from '../../src/core/secrets/placeholder.ts';

const RUN: SearchedRun = {
  workflowId: null,
  clientIp: '',
  headers: {},
  replayOf: null,
  bodyCharset: 'utf-8',
  body: new Uint8Array(0),
  output: null,
  error: null,
};

function finds(text: string, run: Partial<SearchedRun>): boolean {
  return createRunMatcher({ text: { text, parts: SEARCHED_PARTS } })({ ...RUN, ...run });
}

const bodyOf = (text: string): Partial<SearchedRun> => ({ body: Buffer.from(text) });

describe('a text', () => {
  test.each<[string, string, boolean]>([
    ['Ada', 'hello ADA', true],
    ['straße', 'STRAßE 5', true],
    ['É', 'café', true],
    ['e', 'é', false],
    ['100%', 'at 100% load', true],
    ['100%', 'at 1000 load', false],
    ['a_b', 'a_b', true],
    ['a_b', 'axb', false],
    ['.*', 'anything', false],
    ['(a+)+$', 'x (a+)+$ y', true],
    ['a\0b', 'a\0b', true],
    ['a\0b', 'ab', false],
    ["'; DROP TABLE runs; --", 'nothing', false],
    ['👩‍🚀', 'an 👩‍🚀!', true],
    ['\ud83d', 'lone \ud83d', false],
    ['__proto__', '{"a":1}', false],
  ])('%j in %j: %j', (text, body, expected) => {
    expect(finds(text, bodyOf(body))).toBe(expected);
  });

  test('is read in the charset of the body, and not found in bytes that are not of it', () => {
    const latin = { body: Buffer.from('caf\xe9', 'latin1'), bodyCharset: 'windows-1252' };
    expect(finds('café', latin)).toBe(true);
    expect(finds('caf', { ...latin, bodyCharset: 'utf-8' })).toBe(false);
  });

  test('is found up to the limit, also where the limit splits a character', () => {
    const body = Buffer.from(`${'x'.repeat(MAX_SEARCHED - 3)}y€ beyond`);
    expect(finds('xy', { body })).toBe(true);
    expect(finds('beyond', { body })).toBe(false);
    expect(finds('xy', { body: body.subarray(0, MAX_SEARCHED) })).toBe(true);
  });
});

describe('a search never finds', () => {
  const placeholder = formatPlaceholder('API_KEY', '0123456789abcdef0123456789abcdef');

  test('a placeholder of a secret, nor a part of it, in an output or an error', () => {
    const error = { code: 'failed', message: `refused ${placeholder}` };
    for (const run of [{ output: `{"key":"${placeholder}"}` }, { error }]) {
      for (const part of ['sluice-secret', 'api_key', '0123', 'cdef']) expect(finds(part, run), part).toBe(false);
      // It is searched as it is shown.
      expect(finds('********', run)).toBe(true);
    }
  });

  test('the part of a placeholder that the limit leaves', () => {
    for (const shown of [1, 20, 30, placeholder.length - 1]) {
      const output = `${'x'.repeat(MAX_SEARCHED - shown)}${placeholder}`;
      for (const run of [{ output }, { output: output.slice(0, MAX_SEARCHED) }])
        for (const part of ['sluice-secret', 'api_key', '0123']) expect(finds(part, run), `${shown} ${part}`).toBe(false);
      expect(finds('xxx', { output })).toBe(true);
    }
  });

  test('a header that is not shown, which only runs of an older version have', () => {
    const headers = { 'x-gitlab-token': 'glpat-1', referer: 'https://h/?token=abc&page=2', 'user-agent': 'curl' };
    for (const part of ['glpat', 'x-gitlab-token', 'abc']) expect(finds(part, { headers }), part).toBe(false);
    expect(finds('page=2', { headers })).toBe(true);
    expect(finds('user-agent: curl', { headers })).toBe(true);
  });
});
