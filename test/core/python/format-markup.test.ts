// The template of str.format is parsed as Python 3.11 does, with its errors for braces that do not match.

import { describe, expect, test } from 'vitest';
import { type FormatPart, parseFormatMarkup } from '../../../src/core/python/format/format-markup.ts';

function field(name: string, spec = '', conversion: string | null = null): FormatPart {
  return { name, spec, conversion };
}

describe('templates', () => {
  const read: [text: string, parts: FormatPart[]][] = [
    ['', []],
    ['plain', ['plain']],
    ['{{', ['{']],
    ['}}', ['}']],
    ['{{a}}', ['{', 'a', '}']],
    ['{a}', [field('a')]],
    ['x{a}y', ['x', field('a'), 'y']],
    ['{a:5}', [field('a', '5')]],
    ['{a:{b}}', [field('a', '{b}')]],
    ['{a:{{}}}', [field('a', '{{}}')]],
    ['{a!r}', [field('a', '', 'r')]],
    ['{a!r:5}', [field('a', '5', 'r')]],
    ['{a!}}', [field('a', '', '}')]],
    ['{a!:}', [field('a', '', ':')]],
    ['{!r}', [field('', '', 'r')]],
    ['{}', [field('')]],
    ['{ a }', [field(' a ')]],
    ['{a.b}', [field('a.b')]],
    ['{a[}]}', [field('a[}]')]],
    ['😀{a}😀', ['😀', field('a'), '😀']],
  ];
  for (const [text, parts] of read) {
    test(`the template ${JSON.stringify(text)} is split into text and fields`, () => {
      expect(parseFormatMarkup(text)).toEqual(parts);
    });
  }
});

describe('unmatched braces', () => {
  for (const [text, message] of [
    ['{', "Single '{' encountered in format string"],
    ['}', "Single '}' encountered in format string"],
    ['a{', "Single '{' encountered in format string"],
    ['x}y', "Single '}' encountered in format string"],
    ['{a}}', "Single '}' encountered in format string"],
    ['{a:}}', "Single '}' encountered in format string"],
    ['{a', "expected '}' before end of string"],
    ['{a[b', "expected '}' before end of string"],
    ['{a[}', "expected '}' before end of string"],
    ['{a{b}}', "unexpected '{' in field name"],
    ['{a!', 'end of string while looking for conversion specifier'],
    ['{a!rx}', "expected ':' after conversion specifier"],
    ['{a!r', "unmatched '{' in format spec"],
    ['{a!}', "unmatched '{' in format spec"],
    ['{a:', "unmatched '{' in format spec"],
    ['{a:{b}', "unmatched '{' in format spec"],
  ] as const) {
    test(`the template ${JSON.stringify(text)} is refused: ${message}`, () => {
      expect(() => parseFormatMarkup(text)).toThrow(message);
    });
  }
});

test('a megabyte of braces is parsed', () => {
  expect(parseFormatMarkup('{{}}'.repeat(250_000))).toHaveLength(500_000);
  expect(parseFormatMarkup('{a}x'.repeat(250_000))).toHaveLength(500_000);
  expect(() => parseFormatMarkup(`{a:${'{'.repeat(1_000_000)}`)).toThrow("unmatched '{' in format spec");
});
