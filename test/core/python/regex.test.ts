// Regular expressions: Python's syntax and results in linear time. Unsupported features are refused by name.

import { describe, expect, test } from 'vitest';
import { compilePythonRegex } from '../../../src/core/python/regex/regex.ts';

test.each([
  ['foo\\.bar$', 'foo.bar', true],
  ['a$', 'a\n', true],
  ['a$', 'a\n\n', false],
  ['a\\Z', 'a\n', false],
  ['^b', 'a\nb', false],
  ['(?m)^b$', 'a\nb\nc', true],
  ['a.b', 'a\nb', false],
  ['(?s)a.b', 'a\nb', true],
  ['(?s:a.)b', 'a\nb', true],
  ['(?i)STRASSE', 'strasse', true],
  ['(?i:A)b', 'aB', false],
  ['(?x) a b # comment', 'ab', true],
  ['(?P<year>\\d{4})', 'in 2024', true],
  ['^\\w+$', 'żółć', true],
  ['^\\w+$', '日本語', true],
  ['(?a)^\\w+$', 'żółć', false],
  ['^\\d$', '٣', true],
  ['(?a)^\\d$', '٣', false],
  ['^\\s$', '\u00a0', true],
  ['^[^\\W\\d_]+$', 'née', true],
  ['^[^\\W\\d_]+$', 'née2', false],
  ['^[\\s\\S]$', '😀', true],
  ['^[]a]+$', ']a', true],
  ['^[\\b]$', '\b', true],
  ['[[:alpha:]]', 'x', false],
  ['^a{,2}$', 'aa', true],
  ['^a{,2}$', 'aaa', false],
  ['^x{a}$', 'x{a}', true],
  ['\\x41\\u00e9\\101', 'AéA', true],
])('searching %s in %j gives %s', (pattern, text, expected) => {
  expect(compilePythonRegex(pattern).isFoundIn(text)).toBe(expected);
});

describe('word boundaries', () => {
  test.each([
    ['\\bcafé\\b', 'un café, merci', true],
    ['\\bcafé\\b', 'cafés', false],
    ['\\bcaf\\b', 'café', false],
    ['é\\B', 'été', true],
    ['\\Bé\\b', 'é', false],
    ['\\b日本\\b', '日本 語', true],
    ['\\bfoo\\b', 'a foo.', true],
    ['\\B', '', false],
    ['^\\b\\w+\\b$', 'naïve', true],
    ['\\b.\\b', 'é', true],
    ['(?a)\\bcaf\\b', 'café', true],
  ])('searching %s, which has word boundaries, in %j gives %s', (pattern, text, expected) => {
    expect(compilePythonRegex(pattern).isFoundIn(text)).toBe(expected);
  });

  test('a text that contains the boundary marks does not create boundaries', () => {
    const regex = compilePythonRegex('^a\\bé');
    expect(regex.isFoundIn('a\u{10fffe}é')).toBe(false);
    expect(regex.isFoundIn('aé')).toBe(false);
  });
});

test.each([
  ['(?=a)', /lookahead/],
  ['(?!a)', /negative lookahead/],
  ['(?<=a)b', /lookbehind/],
  ['(?<!a)b', /negative lookbehind/],
  ['(a)\\1', /backreference \\1/],
  ['(?P<a>x)(?P=a)', /backreference/],
  ['(?(1)a|b)', /conditional/],
  ['(?>a)', /atomic/],
  ['a++', /possessive/],
  ['(', /is not a valid regular expression: missing closing \)/],
  ['a)', /is not a valid/],
  ['[a', /a character class must be closed with "\]"/],
  ['[z-a]', /range/],
  ['[\\d-x]', /range/],
  ['*a', /is not a valid/],
  ['\\q', /\\q is not a known escape/],
  ['\\', /a character must follow the last backslash/],
  ['\\x4', /hexadecimal/],
  ['a(?i)b', /at its start/],
  ['(?P<1>a)', /\(\?P<name>/],
  ['(?P<a>x)(?P<a>y)', /only one group may be called "a"/],
  ['(?#', /comment/],
  ['a{1001}', /repeat/],
  ['((a{100}){100}){100}', /repeat/],
])('the pattern %s is refused with the reason', (pattern, reason) => {
  expect(() => compilePythonRegex(pattern)).toThrow(reason);
});

test('a pattern that takes exponential time in other engines takes linear time', () => {
  const regex = compilePythonRegex('(a+)+$');
  const millisecondsFor = (length: number): number => {
    const text = `${'a'.repeat(length)}b`;
    const started = performance.now();
    expect(regex.isFoundIn(text)).toBe(false);
    return performance.now() - started;
  };
  millisecondsFor(50_000);
  const short = Math.min(millisecondsFor(50_000), millisecondsFor(50_000), millisecondsFor(50_000));
  const long = Math.min(millisecondsFor(500_000), millisecondsFor(500_000), millisecondsFor(500_000));
  expect(short).toBeLessThan(50);
  expect(long).toBeLessThan(Math.max(short, 2) * 60);
});
