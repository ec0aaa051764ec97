// JSON without loss: what is read and written again is the same text, numbers included.

import fc from 'fast-check';
import { parse as parseByLibrary } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import { ExactNumber, parseJson, parseJsonWithUniqueKeys, stringifyJson, withPlainNumbers } from '../../src/core/json/json.ts';
import { readExactly, surveyJson } from '../../src/core/json/json-text.ts';

const numberText = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '-1.50', '1e+20', '1E-7', '12345678901234567890', '0.1e1', '1e400', '9007199254740993'),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.stringMatching(/^-?(?:0|[1-9]\d{0,25})(?:\.\d{1,25})?(?:[eE][+-]?\d{1,3})?$/),
);
const stringText = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text));
/** JSON text without white space; keys begin with a letter, for JavaScript puts keys that are numbers first. */
const { jsonText } = fc.letrec<{ jsonText: string }>((tie) => ({
  jsonText: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(numberText, stringText, fc.constantFrom('true', 'false', 'null')),
    fc.array(tie('jsonText'), { maxLength: 5 }).map((items) => `[${items.join()}]`),
    fc
      .uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), tie('jsonText')), { maxLength: 5, selector: ([key]) => key })
      .map((fields) => `{${fields.map(([key, text]) => `${JSON.stringify(`k${key}`)}:${text}`).join()}}`),
  ),
}));
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

describe('reading and writing', () => {
  test('any JSON text comes out as it went in, each number digit for digit', () => {
    fc.assert(
      fc.property(jsonText, (text) => void expect(stringifyJson(parseJson(text))).toBe(text)),
      { numRuns: 500 },
    );
  });

  test('any JSON text means the same as to JSON.parse, whatever white space stands in it', () => {
    fc.assert(
      fc.property(jsonText, space, (text, gap) => {
        const spaced = gap + text + gap;
        expect(JSON.parse(stringifyJson(parseJson(spaced)))).toEqual(JSON.parse(text));
        expect(withPlainNumbers(parseJson(spaced))).toEqual(JSON.parse(text));
        expect(JSON.parse(stringifyJson(parseJsonWithUniqueKeys(spaced)))).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    '{"a":{"__proto__":{"polluted":0.70}},"a":{}}',
    '{"a":{"constructor":{"prototype":{"polluted":0.70}}},"a":{}}',
    '{"a":{"__proto__":[0.70]},"a":{}}',
    '{"a":{"__proto__":0.70},"a":{}}',
  ])('%s, whose key comes again, changes no prototype', (text) => {
    expect(parseJson(text)).toEqual({ a: {} });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(12);
    expect(Object.keys(Array.prototype)).toEqual([]);
  });

  test('any JSON text is read as it is by hand, repeated keys and keys of all kinds among it', () => {
    const key = fc.constantFrom('a', 'b', '0', '1', '__proto__', 'constructor', 'length', 'a"b', '\\u0061', 'é\n');
    const { text } = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(numberText, stringText, fc.constantFrom('true', 'false', 'null', '"1.0"', '":,[{1.0"')),
        fc.array(tie('text'), { maxLength: 4 }).map((items) => `[${items.join(' , ')}]`),
        fc.array(fc.tuple(key, tie('text')), { maxLength: 4 }).map((fields) => {
          const written = fields.map(([name, value]) => `${name.startsWith('\\') ? `"${name}"` : JSON.stringify(name)} :${value}`);
          return `{ ${written.join()}}`;
        }),
      ),
    }));
    fc.assert(
      fc.property(text, (json) => {
        const byHand = readExactly(json, { readExact: (digits) => new ExactNumber(digits) });
        expect(parseJson(json)).toEqual(byHand);
        expect(stringifyJson(parseJson(json))).toBe(stringifyJson(byHand));
      }),
      { numRuns: 3000 },
    );
  });

  test("an exact number under a key that comes again does not take the later value's place", () => {
    const cases = [
      ['{"a":1.0,"a":1}', '{"a":1}'],
      ['{"a":{"b":1.0},"a":{"b":1}}', '{"a":{"b":1}}'],
      ['{"a":[1.0],"a":5,"c":2.0}', '{"a":5,"c":2.0}'],
      ['{"a":[1.0,2],"a":"x"}', '{"a":"x"}'],
      ['{"a":1,"a":1.0}', '{"a":1.0}'],
      ['[{"a":{"k":[1.0]},"a":{"k":[1]}},3.0]', '[{"a":{"k":[1]}},3.0]'],
    ] as const;
    for (const [text, read] of cases) expect(stringifyJson(parseJson(text)), text).toBe(read);
  });

  test('white space between any two tokens changes nothing', () => {
    const spaced = ' {\n\t"a" :\r\n[ 1.0 , { } , [ ] , "x, 2.0" , true , null , -0 ] , "b" : { "c" : 1e5 } } ';
    expect(stringifyJson(parseJson(spaced))).toBe('{"a":[1.0,{},[],"x, 2.0",true,null,-0],"b":{"c":1e5}}');
  });

  test('what JSON.parse refuses is refused with the same error', () => {
    const broken = [
      '',
      ' ',
      '{',
      '[1,]',
      '{"a":1,}',
      '01',
      '1.',
      '.5',
      '+1',
      'NaN',
      'Infinity',
      '-',
      '{a:1}',
      "{'a':1}",
      '1 2',
      '"\n"',
      '"\\x"',
    ];
    for (const text of [...broken, '\ufeff{}', 'undefined', 'tru', '[1.0', '{"a":1.0', '1.0,']) {
      expect(() => parseJson(text), text).toThrow(SyntaxError);
      expect(() => parseJsonWithUniqueKeys(text), text).toThrow(SyntaxError);
    }
  });

  const exact = [
    '1.0',
    '-0',
    '-0.0',
    '-1.50',
    '0.0000001',
    '-0.00000012',
    '0.1234567890123456789',
    '1234567890123456.5',
    '1e5',
    '1E5',
    '0.10',
    '12345678901234567890',
    '-12345678901234567890',
    '1e+20',
    '1e400',
    '1e-400',
  ];
  for (const text of exact) {
    test(`${text} keeps its text alone, in an array and in an object`, () => {
      for (const [open, close] of [
        ['', ''],
        ['[', ']'],
        ['[7,', ',8]'],
        ['{"n":', '}'],
        ['{"n":{"m":[', ']}}'],
      ])
        expect(stringifyJson(parseJson(`${open}${text}${close}`))).toBe(`${open}${text}${close}`);
    });
  }

  const plain = [
    '0',
    '1',
    '-1',
    '0.5',
    '-0.5',
    '0.000001',
    '0.9400000000000001',
    '0.12345678901234',
    '-12345678901234.5',
    '123456789012345',
    '9007199254740991',
    '1.5',
    '-273.15',
  ];
  for (const text of plain) {
    test(`${text} is a plain number, for nothing of it can be lost`, () => {
      expect(parseJson(`[${text}]`)).toEqual([Number(text)]);
    });
  }

  test('an exact number counts as the number that it is', () => {
    const number = parseJson('1.50') as ExactNumber;
    expect(number).toBeInstanceOf(ExactNumber);
    expect(Number(number)).toBe(1.5);
    expect(`${number}`).toBe('1.50');
    expect(withPlainNumbers({ deep: [number] })).toEqual({ deep: [1.5] });
  });

  test('of a repeated key the last value counts, as in JSON.parse', () => {
    expect(stringifyJson(parseJson('{"a":1.0,"b":2,"a":3.0}'))).toBe('{"a":3.0,"b":2}');
  });

  test('a key named __proto__ is a key like any other and touches no prototype', () => {
    const value = parseJson('{"n":1.0,"__proto__":{"polluted":true}}') as object;
    expect(Object.keys(value)).toEqual(['n', '__proto__']);
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(stringifyJson(value)).toBe('{"n":1.0,"__proto__":{"polluted":true}}');
  });

  test('what JSON cannot say is written as JSON.stringify writes it', () => {
    expect(stringifyJson(undefined)).toBe('null');
    expect(stringifyJson([undefined, Number.NaN, new ExactNumber('1.0')])).toBe('[null,null,1.0]');
    expect(stringifyJson({ gone: undefined, kept: new ExactNumber('1.0') })).toBe('{"kept":1.0}');
  });

  test('a large body with one exact number is read without freezing the server', () => {
    const text = `{"confidence":0.950,"image":"${'A'.repeat(10_000_000)}"}`;
    const started = performance.now();
    const value = parseJson(text) as { confidence: ExactNumber };
    expect(performance.now() - started).toBeLessThan(300);
    expect(value.confidence.text).toBe('0.950');
  });
});

describe('unique keys', () => {
  test('a field that appears twice is named, at any depth and whether the values differ or not', () => {
    for (const text of ['{"a":1,"a":2}', '{"a":1,"a":1}', '{"x":[{"a":{},"a":[]}]}', '{"\\u0061":1,"a":2}'])
      expect(() => parseJsonWithUniqueKeys(text), text).toThrow('field "a" appears twice in one object');
  });

  test('the same field in different objects is no repetition', () => {
    expect(parseJsonWithUniqueKeys('[{"a":1},{"a":2,"b":{"a":3}}]')).toEqual([{ a: 1 }, { a: 2, b: { a: 3 } }]);
  });
});

describe('which documents the exact reader is for', () => {
  const unlessWrittenSo = (digits: string): unknown => (String(Number(digits)) === digits ? Number(digits) : new ExactNumber(digits));
  const isExact = (value: unknown): boolean =>
    value instanceof ExactNumber || (typeof value === 'object' && value !== null && Object.values(value).some(isExact));

  for (const text of [
    'true',
    'false',
    'null',
    '[true,1,false,2.5,null]',
    '{"e":true,"false":"1.0 e5","x":{"y":[false]}}',
    '[true,false ]',
  ]) {
    test(`${text} loses nothing: the letters of words and of strings are no number`, () => {
      expect(surveyJson(text)).toMatchObject({ losesText: false });
      expect(parseJson(text)).toEqual(JSON.parse(text));
    });
  }

  for (const text of [
    '[true,0.70]',
    '[0.70,true]',
    '{"a":false,"b":1e5}',
    '[null,-0]',
    '[true,{"id":9007199254740993}]',
    '["\\"",1.0,false]',
  ]) {
    test(`${text} does, beside the words`, () => {
      expect(surveyJson(text)).toMatchObject({ losesText: true });
      expect(stringifyJson(parseJson(text))).toBe(text);
    });
  }

  test('any JSON text is read as the exact reader reads it, and goes through it only where a number would lose its text', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const exact = readExactly(text, { readExact: (digits) => new ExactNumber(digits) });
        expect(parseJson(text)).toEqual(exact);
        const byLibrary = parseByLibrary(text, undefined, unlessWrittenSo);
        expect(exact).toEqual(byLibrary);
        expect(surveyJson(text).losesText).toBe(isExact(byLibrary));
      }),
      { numRuns: 2000 },
    );
  });

  test('any other text is surveyed without harm', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[[\]{}"\\:,truefalsn0-9.eE+ -]{0,40}$/), (text) => {
        expect(surveyJson(text).depth).toBeGreaterThanOrEqual(0);
        let value: unknown;
        try {
          value = JSON.parse(text);
        } catch {
          expect(() => parseJson(text)).toThrow(SyntaxError);
          return;
        }
        expect(JSON.parse(stringifyJson(parseJson(text)))).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('depth', () => {
  const cases: [string, number][] = [
    ['1', 0],
    ['[]', 1],
    ['{"a":[{}]}', 3],
    ['"[[[["', 0],
    ['["\\"[[[", []]', 2],
    ['["\\\\", []]', 2],
    ['[[],[[]],[]]', 3],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 100_000],
    ['[[[[', 4],
    ['["unfinished', 1],
  ];
  for (const [text, depth] of cases) {
    test(`${text.slice(0, 20)} nests ${depth} deep`, () => {
      expect(surveyJson(text).depth).toBe(depth);
    });
  }

  test('is what a recursive count of the value says, for any JSON text', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(jsonText, (text) => void expect(surveyJson(text).depth).toBe(depthOf(JSON.parse(text)))),
      { numRuns: 200 },
    );
  });
});
