// What differs between two versions of a workflow, by the places of the changes.

import { expect, test } from 'vitest';
import { parseJson } from '../../src/core/json/json.ts';
import type { WorkflowDocument } from '../../src/core/workflow/document.ts';
import { diffVersions } from '../../src/core/workflow/views/version-diff.ts';

const EMPTY = { version: '1.0', inputs: [], steps: [], outputs: [] };
const NOTHING = { added: [], removed: [], changed: [], isReordered: false };

/** As stored text, so that numbers are read as they are written. */
const diff = (from: object | string, to: object | string) =>
  diffVersions(
    ...([from, to].map((part) => parseJson(typeof part === 'string' ? part : JSON.stringify({ ...EMPTY, ...part }))) as [
      WorkflowDocument,
      WorkflowDocument,
    ]),
  );
const step = (name: string, more: object = {}): object => ({ type: 'sluice/set@v1', name, ...more });
const pathsOf = (from: unknown, to: unknown): string[] | undefined =>
  diff({ steps: [step('a', { values: from })] }, { steps: [step('a', { values: to })] }).steps.changed[0]?.paths;

test('elements are added, removed, changed and reordered by their names', () => {
  const from = { inputs: [{ type: 'WorkflowParameter', name: 'i' }], steps: [step('a'), step('b'), step('c', { values: { x: 1 } })] };
  const to = {
    steps: [step('c', { values: { x: 2 } }), step('d'), step('a')],
    outputs: [{ type: 'JsonField', name: 'o', selector: '$steps.a' }],
  };
  expect(diff(from, to)).toEqual({
    inputs: { ...NOTHING, removed: ['i'] },
    steps: { added: ['d'], removed: ['b'], changed: [{ name: 'c', paths: ['/values/x'] }], isReordered: true },
    outputs: { ...NOTHING, added: ['o'] },
    copies: NOTHING,
    others: [],
  });
  expect(diff(from, from).steps).toEqual(NOTHING);
});

test('copies of used workflows and other fields are compared too', () => {
  const found = diff(
    { pinned_workflows: { 'in@1': EMPTY, w: EMPTY } },
    { version: '1.1', pinned_workflows: { w: { ...EMPTY, version: '1.1' } }, x: 1 },
  );
  expect(found.copies).toEqual({ ...NOTHING, removed: ['in@1'], changed: [{ name: 'w', paths: ['/version'] }] });
  expect(found.others).toEqual(['/version', '/x']);
});

test.each<[unknown, unknown, string[] | undefined]>([
  [{ a: 1 }, { a: 1 }, undefined],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, undefined],
  [{ a: { b: [1, 2] } }, { a: { b: [1, 3] } }, ['/values/a/b/1']],
  [{ a: [1] }, { a: [1, 2] }, ['/values/a/1']],
  [{ a: [] }, { a: {} }, ['/values/a']],
  [{ a: null }, {}, ['/values/a']],
  [{ a: null }, { a: false }, ['/values/a']],
  [{ a: '1' }, { a: 1 }, ['/values/a']],
  [{ 'a/b': 1, 'c~d': 1, '': 1 }, { 'a/b': 2, 'c~d': 2, '': 2 }, ['/values/a~1b', '/values/c~0d', '/values/']],
  [{ constructor: 1 }, { toString: 1 }, ['/values/constructor', '/values/toString']],
])('%j to %j', (from, to, paths) => {
  expect(pathsOf(from, to)).toEqual(paths);
});

test('numbers are compared as they are written, and __proto__ is a key like any other', () => {
  const written = (value: string): string =>
    `{"version":"1.0","inputs":[],"outputs":[],"steps":[{"type":"t","name":"a","values":${value}}]}`;
  const paths = (from: string, to: string) => diff(written(from), written(to)).steps.changed[0]?.paths;
  expect(paths('{"n":1.0}', '{"n":1.0}')).toBeUndefined();
  expect(paths('{"n":1.0}', '{"n":1}')).toEqual(['/values/n']);
  expect(paths('{"n":12345678901234567890}', '{"n":12345678901234567891}')).toEqual(['/values/n']);
});

test('what is listed is bounded in number and in length', () => {
  const many = (value: number) => Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, value]));
  expect(pathsOf(many(1), many(2))).toHaveLength(30);
  expect(pathsOf(many(1), many(2))?.at(-1)).toBe('');
  const long = 'k'.repeat(100_000);
  expect(pathsOf({ a: { [long]: { b: 1, c: 1 } } }, { a: { [long]: { b: 2, c: 2 } } })).toEqual(['/values/a']);
  expect(pathsOf({ a: { [long]: 1 } }, { a: { [long]: 1 } })).toBeUndefined();
});
