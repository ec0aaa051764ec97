// Settings that come from selectors: accepted flags, numbers and texts, and the faults of all other values.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import {
  readFlag,
  readInteger,
  readLine,
  readLines,
  readNumber,
  readServiceUrl,
  readText,
  SettingFault,
} from '../../../src/steps/shared/setting-values.ts';

const one = parseJson('1.0');

describe('flags', () => {
  test('readFlag accepts the flags of pydantic', () => {
    for (const value of [true, 1, one, '1', 'TRUE', 't', 'Yes', 'y', 'on']) expect(readFlag('x', value)).toBe(true);
    for (const value of [false, 0, parseJson('0.0'), '0', 'False', 'f', 'no', 'N', 'off']) expect(readFlag('x', value)).toBe(false);
  });

  test('readFlag refuses every other value', () => {
    for (const value of [null, undefined, '', ' true', 'maybe', 2, -1, Number.NaN, [], [true], {}]) {
      expect(() => readFlag('x', value)).toThrow(SettingFault);
    }
  });
});

describe('whole numbers', () => {
  test('readInteger accepts text, whole floats and booleans', () => {
    expect([5, one, '3', ' +7 ', '2.0', '1_000', true].map((value) => readInteger('x', value))).toEqual([5, 1, 3, 7, 2, 1000, 1]);
  });

  test('readInteger refuses every other value', () => {
    for (const value of [
      null,
      0.5,
      '2.5',
      '',
      ' ',
      '0x10',
      'x',
      '1e3',
      '1__0',
      [],
      [5],
      {},
      parseJson('1e30'),
      Number.POSITIVE_INFINITY,
      '9'.repeat(400),
    ]) {
      expect(() => readInteger('x', value)).toThrow(SettingFault);
    }
  });
});

test('readNumber accepts fractions, and refuses values that are not numbers', () => {
  expect([0.5, '2.5', '.5', parseJson('1.50'), 'inf'].map((value) => readNumber('x', value))).toEqual([
    0.5,
    2.5,
    0.5,
    1.5,
    Number.POSITIVE_INFINITY,
  ]);
  for (const value of [null, 'nan', Number.NaN, 'x', {}]) expect(() => readNumber('x', value)).toThrow(SettingFault);
});

describe('text', () => {
  test('readText accepts only text, and readLine refuses line breaks', () => {
    expect(readText('x', '')).toBe('');
    expect(() => readText('x', 5)).toThrow('x must be text, but is 5');
    expect(() => readText('x', null)).toThrow('x must be text, but is null');
    expect(() => readLine('subject', 'a\r\nBcc: b')).toThrow('subject must be one line, but is "a\\r\\nBcc: b"');
  });

  test('readLines accepts one line or a list', () => {
    expect(readLines('to', 'a')).toEqual(['a']);
    expect(readLines('to', ['a', 'b'])).toEqual(['a', 'b']);
    expect(readLines('to', null)).toEqual([]);
    expect(() => readLines('to', ['a', 5])).toThrow('to[1] must be text, but is 5');
    expect(() => readLines('to', ['a\nb'])).toThrow('to[0] must be one line');
  });
});

test('readServiceUrl accepts HTTP addresses and removes a slash at the end', () => {
  expect(readServiceUrl('api_url', 'https://proxy.example:8443/slack//')).toBe('https://proxy.example:8443/slack');
  for (const value of ['', 'slack.com', 'ftp://slack.com', 'https://', 'http://a b', null, 5]) {
    expect(() => readServiceUrl('api_url', value)).toThrow(SettingFault);
  }
});
