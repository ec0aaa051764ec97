// The masks and outlines of a large Darwin document are removed before it is parsed. Nothing else of it changes, and its
// faults are still found.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutNumberLists } from '../../src/payloads/cut-number-lists.ts';

const cut = (document: string): string => Buffer.from(cutNumberLists(Buffer.from(document)).bytes).toString();

function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(emptied);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, content]) => [key, key === 'dense_rle' && isRuns(content) ? [] : emptied(content)]),
  );
}

const isRuns = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((item) => Number.isInteger(item) && (item as number) >= 0 && !Object.is(item, -0) && /^\d+$/.test(String(item)));

const key = fc.constantFrom('dense_rle', '"dense_rle"', 'a"dense_rle', 'raster_layer', 'name');
const runs = fc.array(fc.nat(), { maxLength: 20 });
const { document } = fc.letrec((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    runs,
    fc.string(),
    fc.constantFrom('"dense_rle":[1,2]', 'dense_rle', null, -1, 1.5, [1, -2], [[1], [2]]),
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(key, tie('document'), { maxKeys: 4 }),
  ),
}));

test('removing the runs changes nothing else in a document', () => {
  fc.assert(
    fc.property(document, fc.nat({ max: 3 }), (value, space) => {
      expect(JSON.parse(cut(JSON.stringify(value, null, space)))).toEqual(emptied(value));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['{"dense_rle":[1,2,3],"a":[4,5]}', '{"dense_rle":[],"a":[4,5]}'],
  ['{"dense_rle" : [ 1 , 2 ] }', '{"dense_rle" : [] }'],
  ['{"a":"\\"dense_rle\\":[1,2]"}', '{"a":"\\"dense_rle\\":[1,2]"}'],
])('the document %s becomes %s', (given, wanted) => {
  expect(cut(given)).toBe(wanted);
});

test('three hundred thousand unclosed lists are scanned in linear time', () => {
  const given = '{"dense_rle":['.repeat(300_000);
  const began = performance.now();
  expect(cut(given) === given).toBe(true);
  expect(performance.now() - began).toBeLessThan(2000);
});

describe('malformed lists', () => {
  test.each(['1,,2', '1,', ',1', '1 2', '01', '1,"2"', '1,[2]', '1,{}', '1x', '-', '1.', 'NaN', ' '])(
    'the list [%s], which is not of whole numbers, stays in the document',
    (runsText) => {
      const given = `{"dense_rle":[${runsText}]}`;
      expect(cut(given)).toBe(given);
    },
  );

  test.each(['{"dense_rle"', '{"dense_rle":', '{"dense_rle":[', '{"dense_rle":[1,2', '{"dense_rle":"["}', '"dense_rle"'])(
    'the malformed document %s stays as it is',
    (given) => {
      expect(cut(given)).toBe(given);
    },
  );
});

describe('outlines', () => {
  const PADDING = `"note":"${'-'.repeat(9 * 2 ** 20)}"`;
  const cutLarge = (outline: string): string => cut(`{"polygon":{${outline}},${PADDING}}`).replace(`,${PADDING}`, '');

  test('outlines stay in a document below the size limit', () => {
    const document = '{"polygon":{"paths":[[{"x":1.5,"y":-2e3}]]}}';
    expect(cutNumberLists(Buffer.from(document))).toEqual({ bytes: Buffer.from(document), omitsOutlines: false });
  });

  test.each([
    ['"paths":[[{"x":1.5,"y":-2e3},{ "x" : 0, "y" : 1 }],[]]', '"paths":[]'],
    ['"path":[{"x":1,"y":2}],"additional_paths":[[{"x":1,"y":2}]]', '"path":[],"additional_paths":[]'],
    ['"paths" : [ [ ] ]', '"paths" : []'],
    ['"path":"/folder"', '"path":"/folder"'],
    ['"paths":[["other"]]', '"paths":[["other"]]'],
    ['"paths":[[{"x":1}]', '"paths":[[{"x":1}]'],
  ])('outlines of a document above the size limit are removed if they are lists of points: %s', (outline, wanted) => {
    expect(cutLarge(outline)).toBe(`{"polygon":{${wanted}}}`);
  });

  test('omitsOutlines is false for a large document without outlines', () => {
    expect(cutNumberLists(Buffer.from(`{${PADDING}}`)).omitsOutlines).toBe(false);
    expect(cutNumberLists(Buffer.from(`{"paths":[],${PADDING}}`)).omitsOutlines).toBe(true);
  });
});
