// Sluice's own operations: base64, JSON in text, digests and dates, with the faults that they report for hostile values.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, stringifyJson } from '../../src/core/json/json.ts';
import { unloadedImages } from '../../src/core/uql/image.ts';
import { applyOperations, operationsFaults } from '../../src/core/uql/operations/apply-operations.ts';
import { ownOperations, roboflowOperations } from '../../src/core/uql/operations/index.ts';
import type { OperationContext, OperationDefinition } from '../../src/core/uql/operations/operation.ts';
import { OperationFault } from '../../src/core/uql/operations/operation-fault.ts';
import { Bytes } from '../../src/core/values/bytes.ts';
import { parseTimestamp, Timestamp } from '../../src/core/values/timestamp.ts';

const context: OperationContext = { parameters: {}, images: unloadedImages, random: () => 0.25 };

function run(value: unknown, type: string, parameters: object = {}): unknown {
  return applyOperations(value, [{ type: `sluice/${type}`, ...parameters }], context);
}

/** The message without the operation and its place. */
function faultOf(value: unknown, type: string, parameters: object = {}): string {
  try {
    run(value, type, parameters);
  } catch (error) {
    if (!(error instanceof OperationFault)) throw error;
    expect(error.type).toBe('OperationError');
    const prefix = `sluice/${type} in <root>[0]: `;
    expect(error.message.startsWith(prefix)).toBe(true);
    return error.message.slice(prefix.length);
  }
  return expect.fail('nothing was wrong');
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const bytes = (...list: number[]): string => Buffer.from(list).toString('base64');

test('the types of own operations have a slash, and those of Roboflow do not', () => {
  expect(ownOperations.map(({ type }) => type.split('/').length)).toEqual(ownOperations.map(() => 2));
  expect(roboflowOperations.filter(({ type }) => type.includes('/'))).toEqual([]);
});

test('the parameters of own operations are checked when a workflow is saved', () => {
  const faults = operationsFaults([
    { type: 'sluice/decode_base64', variant: 'base32' },
    { type: 'sluice/sha256', encoding: 'hexa' },
    { type: 'sluice/parse_date' },
    { type: 'sluice/format_date', format: 'iso' },
    { type: 'sluice/nothing' },
  ]);
  expect(faults.map(({ path, message }) => `${path}: ${message.slice(0, 60)}`)).toEqual([
    '[0].variant: must be one of "base64", "base64url"',
    '[1].encoding: must be one of "hex", "base64", "base64url"',
    '[2].format: is missing; it must be one of "rfc3339", "rfc2822", "epoch_s',
    '[3].format: must be one of "rfc3339", "rfc2822", "http", "epoch_seconds"',
    '[4].type: "sluice/nothing" is not an operation; known are StringToLowe',
  ]);
});

describe('base64', () => {
  test.each([
    ['', ''],
    ['YQ==', 'a'],
    ['YWI=', 'ab'],
    ['YWJj', 'abc'],
    [base64('größe €🙂'), 'größe €🙂'],
    [base64('\ufeffmarked'), 'marked'],
    [base64('a\u0000b'), 'a\u0000b'],
  ])('%j decodes to %j', (text, expected) => {
    expect(run(text, 'decode_base64')).toBe(expected);
  });

  test.each(['eyJhbGciOiJIUzI1NiJ9', 'Pj4_Pz8', 'YQ', 'YQ==', 'YWI', 'YWI='])('base64url %s is decoded, padded or not', (text) => {
    expect(run(text, 'decode_base64', { variant: 'base64url' })).toBe(Buffer.from(text, 'base64url').toString());
  });

  test.each<[string, string]>([
    ['YWJj!', 'the text holds "!" at index 4, which is not a character of base64'],
    ['YW-j', 'the text holds "-" at index 2, which is not a character of base64 but of base64url'],
    ['YWJj\nYWJj', 'the text holds "\\n" at index 4, which is not a character of base64'],
    ['🙂', 'the text holds "🙂" at index 0, which is not a character of base64'],
    ['YQ', 'the text ends with 0 "=" where 2 belong'],
    ['YQ=', 'the text ends with 1 "=" where 2 belong'],
    ['YQ===', 'the text ends with 3 "=" where 2 belong'],
    ['YWJj=', 'the text ends with 1 "=" where 0 belong'],
    ['YWJj====', 'the text ends with 4 "=" where 0 belong'],
    ['YQ======', 'the text holds "=" at index 6, after its padding'],
    ['YQ==YQ==', 'the text holds "Y" at index 4, after its padding'],
    ['=', 'the text ends with 1 "=" where 0 belong'],
    ['YWJjZ', 'the text has 5 characters, which ends within a group of four: it was cut'],
    ['YR==', 'the text ends with a character that stands for more bits than the last byte has: it was cut or altered'],
    ['YWJ=', 'the text ends with a character that stands for more bits than the last byte has: it was cut or altered'],
    [bytes(0xff, 0xfe, 0x61, 0), 'the bytes in the base64 text are not UTF-8 text'],
    [bytes(0xc0, 0x80), 'the bytes in the base64 text are not UTF-8 text'],
    [bytes(0xed, 0xa0, 0x80), 'the bytes in the base64 text are not UTF-8 text'],
    [bytes(0x61, 0xe2, 0x82), 'the bytes in the base64 text are not UTF-8 text'],
  ])('%.20j is refused by name', (text, fault) => {
    expect(faultOf(text, 'decode_base64')).toBe(fault);
  });

  test('base64url refuses the two characters of base64 and wrong padding', () => {
    const variant = { variant: 'base64url' };
    expect(faultOf('a+b/', 'decode_base64', variant)).toBe(
      'the text holds "+" at index 1, which is not a character of base64url but of base64',
    );
    expect(faultOf('YQ=', 'decode_base64', variant)).toBe('the text ends with 1 "=" where 2 belong');
    expect(faultOf('YR', 'decode_base64', variant)).toContain('more bits than the last byte has');
    expect(faultOf('Y', 'decode_base64', variant)).toContain('ends within a group of four');
  });

  test('text and bytes are encoded, base64url without padding', () => {
    expect(run('größe?>', 'encode_base64')).toBe(base64('größe?>'));
    expect(run(new Bytes(new Uint8Array([0xfb, 0xff])), 'encode_base64')).toBe('+/8=');
    expect(run(new Bytes(new Uint8Array([0xfb, 0xff])), 'encode_base64', { variant: 'base64url' })).toBe('-_8');
    expect(faultOf('a\ud800', 'encode_base64')).toBe('the text holds half of a surrogate pair, which has no bytes in UTF-8');
  });

  test('any text survives both variants', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom('base64', 'base64url'), (list, variant) => {
        const text = `€${Buffer.from(list).toString('latin1')}`;
        expect(run(run(text, 'encode_base64', { variant }), 'decode_base64', { variant })).toBe(text);
      }),
    );
  });

  test('text is decoded if and only if it is the only base64 text of its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQZaz09+/=') }), (text) => {
        const again = Buffer.from(text, 'base64').toString('base64');
        const isUtf8 = Buffer.from(Buffer.from(text, 'base64').toString()).equals(Buffer.from(text, 'base64'));
        let isDecoded = true;
        try {
          run(text, 'decode_base64');
        } catch (error) {
          expect(error).toBeInstanceOf(OperationFault);
          isDecoded = false;
        }
        expect(isDecoded).toBe(again === text && isUtf8);
      }),
      { numRuns: 500 },
    );
  });
});

describe('JSON in text', () => {
  test.each(['{"a":1.0,"b":[12345678901234567890,1e5],"c":"\\u00e9"}', '[]', '"text"', '1.50', 'null', 'true'])(
    '%s keeps the text of its numbers',
    (text) => {
      expect(stringifyJson(run(text, 'parse_json'))).toBe(text.replace('\\u00e9', 'é'));
    },
  );

  test.each<[string, string | RegExp]>([
    ['', 'the text is empty'],
    ['{"a":', /^the text is not valid JSON: /],
    ["{'a':1}", /^the text is not valid JSON: /],
    ['NaN', /^the text is not valid JSON: /],
    ['\ufeff{}', /^the text is not valid JSON: /],
    ['['.repeat(101) + ']'.repeat(101), 'the text nests deeper than 100 levels'],
    ['{"__proto__":{"admin":true}}', 'the text has a key "__proto__" or "constructor.prototype", which is not allowed'],
    ['[{"\\u005f_proto__":1}]', 'the text has a key "__proto__" or "constructor.prototype", which is not allowed'],
    ['{"constructor":{"prototype":{}}}', 'the text has a key "__proto__" or "constructor.prototype", which is not allowed'],
  ])('%.30j is refused by name', (text, fault) => {
    const found = faultOf(text, 'parse_json');
    if (typeof fault === 'string') expect(found).toBe(fault);
    else expect(found).toMatch(fault);
  });

  test('100 levels and ordinary keys are accepted', () => {
    expect(run('['.repeat(100) + ']'.repeat(100), 'parse_json')).toHaveLength(1);
    expect(run('{"constructor":"Lada","prototype":1}', 'parse_json')).toEqual({ constructor: 'Lada', prototype: 1 });
  });
});

describe('digests', () => {
  test.each(['hex', 'base64', 'base64url'] as const)('SHA-256 of text in UTF-8 and of bytes, as %s', (encoding) => {
    const expected = createHash('sha256').update('größe').digest(encoding);
    expect(run('größe', 'sha256', { encoding })).toBe(expected);
    expect(run(new Bytes(Buffer.from('größe')), 'sha256', { encoding })).toBe(expected);
  });

  test('the digest of nothing is that of RFC 6234, in hexadecimal digits', () => {
    expect(run('', 'sha256')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('half of a character has no digest', () => {
    expect(faultOf('\udc00', 'sha256')).toContain('half of a surrogate pair');
  });
});

describe('dates', () => {
  const parse = (value: unknown, format: string): string => (run(value, 'parse_date', { format }) as Timestamp).isoFormat();

  test.each<[unknown, string, string]>([
    ['2021-02-26T19:13:55.749Z', 'rfc3339', '2021-02-26T19:13:55.749000+00:00'],
    ['2021-02-26t19:13:55z', 'rfc3339', '2021-02-26T19:13:55+00:00'],
    ['2021-02-26 19:13:55.123456789+05:30', 'rfc3339', '2021-02-26T19:13:55.123456+05:30'],
    ['Fri, 26 Feb 2021 19:13:55 +0000', 'rfc2822', '2021-02-26T19:13:55+00:00'],
    ['Fri, 26 Feb 2021 19:13:55 GMT', 'rfc2822', '2021-02-26T19:13:55+00:00'],
    ['26 feb 2021 19:13 -0730', 'rfc2822', '2021-02-26T19:13:00-07:30'],
    ['Mon,  1 Mar 2021 09:13:55 EST', 'rfc2822', '2021-03-01T09:13:55-05:00'],
    ['Fri, 26 Feb 2021 19:13:55 +0000 (UTC)', 'rfc2822', '2021-02-26T19:13:55+00:00'],
    ['1529006854', 'epoch_seconds', '2018-06-14T20:07:34+00:00'],
    [1521472262.908181, 'epoch_seconds', '2018-03-19T15:11:02.908181+00:00'],
    [new ExactNumber('1521472262.90818155'), 'epoch_seconds', '2018-03-19T15:11:02.908181+00:00'],
    [new ExactNumber('1.5e9'), 'epoch_seconds', '2017-07-14T02:40:00+00:00'],
    [new ExactNumber('1500000000.0'), 'epoch_seconds', '2017-07-14T02:40:00+00:00'],
    [-0.5, 'epoch_seconds', '1969-12-31T23:59:59.500000+00:00'],
    [1614366835749, 'epoch_milliseconds', '2021-02-26T19:13:55.749000+00:00'],
    ['1614366835749.25', 'epoch_milliseconds', '2021-02-26T19:13:55.749250+00:00'],
    [-62135596800, 'epoch_seconds', '0001-01-01T00:00:00+00:00'],
    [253402300799, 'epoch_seconds', '9999-12-31T23:59:59+00:00'],
  ])('%s as %s is %s', (value, format, expected) => {
    expect(parse(value, format)).toBe(expected);
  });

  test.each<[unknown, string]>([
    ['2021-02-26', 'rfc3339'],
    ['2021-02-26T19:13:55', 'rfc3339'],
    ['2021-02-30T19:13:55Z', 'rfc3339'],
    ['2021-02-26T24:00:00Z', 'rfc3339'],
    ['2021-02-26T19:13:55+24:00', 'rfc3339'],
    ['2021-02-26T19:13:55+05:60', 'rfc3339'],
    ['0001-01-01T00:00:00+01:00', 'rfc3339'],
    ['9999-12-31T23:59:59-01:00', 'rfc3339'],
    [1614366835, 'rfc3339'],
    ['Thu, 26 Feb 2021 19:13:55 +0000', 'rfc2822'],
    ['26 Foo 2021 19:13:55 +0000', 'rfc2822'],
    ['31 Feb 2021 19:13:55 +0000', 'rfc2822'],
    ['26 Feb 2021 19:13:55 +9900', 'rfc2822'],
    ['26 Feb 2021 19:13:55 IST', 'rfc2822'],
    ['26 Feb 2021 19:13:55', 'rfc2822'],
    ['', 'epoch_seconds'],
    [' 1', 'epoch_seconds'],
    ['1e9', 'epoch_seconds'],
    ['0x10', 'epoch_seconds'],
    [1e300, 'epoch_seconds'],
    [new ExactNumber('1e400'), 'epoch_seconds'],
    [253402300800, 'epoch_seconds'],
    [-62135596801, 'epoch_seconds'],
    [true, 'epoch_seconds'],
    [null, 'epoch_milliseconds'],
    [{ seconds: 1 }, 'epoch_seconds'],
    [parseTimestamp('2021-02-26T19:13:55Z'), 'rfc3339'],
  ])('%.40j is no date as %s', (value, format) => {
    expect(faultOf(value, 'parse_date', { format })).toMatch(/^the value must be .* as .*, but is .{1,80}$/);
  });

  test('the fault of a date shows the form that is expected and the value', () => {
    expect(faultOf('26.02.2021', 'parse_date', { format: 'rfc3339' })).toBe(
      'the value must be a date as 2021-02-26T19:13:55.749Z, but is "26.02.2021"',
    );
    expect(faultOf([], 'parse_date', { format: 'epoch_seconds' })).toBe(
      'the value must be seconds since 1970 as 1614366835, but is a list',
    );
  });

  const written = (text: string, format: string): unknown => run(parseTimestamp(text), 'format_date', { format });

  test.each<[string, string, string]>([
    ['2021-02-26T19:13:55.749+05:30', 'rfc3339', '"2021-02-26T13:43:55.749Z"'],
    ['2021-02-26T19:13:55.749001Z', 'rfc3339', '"2021-02-26T19:13:55.749001Z"'],
    ['2021-02-26T19:13:55', 'rfc3339', '"2021-02-26T19:13:55Z"'],
    ['2021-02-26T19:13:55Z', 'rfc2822', '"Fri, 26 Feb 2021 19:13:55 +0000"'],
    ['2021-02-26T20:13:55+01:00', 'http', '"Fri, 26 Feb 2021 19:13:55 GMT"'],
    ['2021-02-26T19:13:55Z', 'epoch_seconds', '1614366835'],
    ['2018-03-19T15:11:02.908180Z', 'epoch_seconds', '1521472262.90818'],
    ['1969-12-31T23:59:58.500Z', 'epoch_seconds', '-1.5'],
    ['2021-02-26T19:13:55.749900Z', 'epoch_milliseconds', '1614366835749'],
    ['1969-12-31T23:59:59.999900Z', 'epoch_milliseconds', '-1'],
    ['0001-01-01T00:00:00Z', 'rfc3339', '"0001-01-01T00:00:00Z"'],
    ['9999-12-31T23:59:59.999999Z', 'epoch_seconds', '253402300799.999999'],
  ])('%s is written as %s: %s', (text, format, expected) => {
    expect(stringifyJson(written(text, format))).toBe(expected);
  });

  test('only timestamps with a year of four digits are written', () => {
    const format = { format: 'http' };
    expect(faultOf('2021-02-26T19:13:55Z', 'format_date', format)).toBe(
      'the value must be a timestamp, but is text; sluice/parse_date makes timestamps',
    );
    expect(faultOf(new Timestamp(253_402_300_800_000_000n, 0), 'format_date', format)).toBe(
      'the timestamp is outside of the years 1 to 9999',
    );
  });

  test('a timestamp of any format survives writing and reading', () => {
    const microseconds = fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n);
    fc.assert(
      fc.property(microseconds, fc.constantFrom('rfc3339', 'epoch_seconds'), (at, format) => {
        const text = run(new Timestamp(at, 0), 'format_date', { format });
        expect((run(text, 'parse_date', { format }) as Timestamp).epochMicroseconds).toBe(at);
      }),
    );
    fc.assert(
      fc.property(microseconds, fc.constantFrom('rfc2822', 'http'), (at, format) => {
        const whole = at - (((at % 1_000_000n) + 1_000_000n) % 1_000_000n);
        const text = run(new Timestamp(whole, 0), 'format_date', { format });
        expect((run(text, 'parse_date', { format: 'rfc2822' }) as Timestamp).epochMicroseconds).toBe(whole);
      }),
    );
  });
});

describe('hostile values', () => {
  const definitions: OperationDefinition[] = [
    { type: 'sluice/decode_base64' },
    { type: 'sluice/encode_base64' },
    { type: 'sluice/parse_json' },
    { type: 'sluice/sha256' },
    { type: 'sluice/parse_date', format: 'rfc3339' },
    { type: 'sluice/parse_date', format: 'rfc2822' },
    { type: 'sluice/parse_date', format: 'epoch_seconds' },
    { type: 'sluice/format_date', format: 'rfc3339' },
  ];

  test.each<[unknown, string]>([
    [null, 'null'],
    [true, 'a boolean'],
    [1.5, 'a number'],
    [new ExactNumber('1.0'), 'a number'],
    [[], 'a list'],
    [{}, 'an object'],
    [parseTimestamp('2024-01-01'), 'a timestamp'],
  ])('a value that is not text is refused with its kind: %.20j', (value, kind) => {
    for (const type of ['decode_base64', 'encode_base64', 'parse_json', 'sha256'])
      expect(faultOf(value, type)).toBe(`the value must be text, but is ${kind}`);
  });

  test('text is bounded in length, in depth and as a date', () => {
    const tooLong = 'A'.repeat(10 * 2 ** 20 + 1);
    for (const type of ['decode_base64', 'encode_base64', 'parse_json', 'sha256'])
      expect(faultOf(tooLong, type)).toBe('the text has 10485761 characters, and at most 10485760 are allowed');
    for (const bomb of ['['.repeat(1_000_000), '{"a":'.repeat(200_000)])
      expect(faultOf(bomb, 'parse_json')).toBe('the text nests deeper than 100 levels');
    for (const format of ['rfc3339', 'rfc2822', 'epoch_seconds']) {
      for (const text of [
        tooLong,
        '9'.repeat(1_000_000),
        `26 Feb 2021 ${' '.repeat(100_000)}x`,
        `2021-02-26T19:13:55.${'1'.repeat(1000)}Z`,
      ])
        expect(faultOf(text, 'parse_date', { format }).length).toBeLessThan(200);
    }
  });

  test('any input of an own operation gives a value or an OperationFault', () => {
    const anyValue = fc.oneof(fc.jsonValue(), fc.string(), fc.jsonValue().map(stringifyJson));
    fc.assert(
      fc.property(anyValue, (value) => {
        for (const definition of definitions) {
          try {
            applyOperations(value, [definition], context);
          } catch (error) {
            expect(error).toBeInstanceOf(OperationFault);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
