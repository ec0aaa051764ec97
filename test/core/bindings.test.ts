// Selectors and bindings: what a `$…` text selects, at any depth, and what it leaves alone.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, stringifyJson } from '../../src/core/json/json.ts';
import { compileBinding, resolveBindings } from '../../src/core/workflow/bindings.ts';
import { findSelectors, isSelector, isStepReference, parseSelector, selectedStep } from '../../src/core/workflow/selector.ts';

const roots = {
  inputs: { name: 'Ada', n: 0, off: false, none: null, list: [{ id: 7 }, { id: 8 }], exact: new ExactNumber('1.0'), 'a-b': 1 },
  steps: { made: { value: 'v', deep: { x: [1, 2, 3] } }, skipped: null },
  request: { query: { user: 'u', '*': 'star' }, body: { $weird: 1, __proto__x: 2 }, headers: { 'x-a': 'h' } },
};

describe('what a selector selects', () => {
  const cases: [string, unknown][] = [
    ['$inputs.name', 'Ada'],
    ['$inputs.n', 0],
    ['$inputs.off', false],
    ['$inputs.none', null],
    ['$inputs.list', roots.inputs.list],
    ['$inputs.list.1.id', 8],
    ['$inputs.a-b', 1],
    ['$inputs', roots.inputs],
    ['$steps.made.value', 'v'],
    ['$steps.made.*', roots.steps.made],
    ['$steps.made.deep.x.0', 1],
    ['$request.query.*', 'star'],
    ['$request.headers.x-a', 'h'],
  ];
  for (const [text, value] of cases) {
    test(`${text} selects ${stringifyJson(value)}`, () => {
      expect(resolveBindings(text, roots)).toEqual(value);
    });
  }

  const dotted = {
    request: {
      query: { 'hub.challenge': '1158', 'hub.mode': 'subscribe', 'a b': 'space', $price: 5, 'it"s': 'q', hub: 'short' },
      body: {
        labels: { 'app.kubernetes.io/name': 'web', app: 'text' },
        'a.b': { c: 1, 'c.d': 2 },
        a: { b: { x: 3 }, 'b.c': { d: 4 } },
        none: { 'x.y': null },
        'form[key]': 'flat',
        'list[]': ['one'],
        list: [{ 'k.v': 9 }],
      },
    },
    steps: { s: { 'out.put': { deep: 1 } } },
  };
  const dots: [string, unknown][] = [
    ['$request.query["hub.challenge"]', '1158'],
    ["$request.query['hub.challenge']", '1158'],
    ['$request["query"]["hub.challenge"]', '1158'],
    ['$request.query["a b"]', 'space'],
    ['$request.query["$price"]', 5],
    ['$request.query["it\\"s"]', 'q'],
    ["$request.query['it\"s']", 'q'],
    ['$request.query["\\u0061 b"]', 'space'],
    ['$request.query.hub.challenge', '1158'],
    ['$request.query.hub', 'short'],
    ['$request.query["hub"].challenge', null],
    ['$request.query["hub"]["challenge"]', null],
    ['$request.body.labels.app.kubernetes.io/name', 'web'],
    ['$request.body.labels["app.kubernetes.io/name"]', 'web'],
    ['$request.body.a.b.x', 3],
    ['$request.body.a.b.c', { d: 4 }],
    ['$request.body.a.b.c.d', 4],
    ['$request.body["a.b"].c.d', 2],
    ['$request.body.none.x.y', null],
    ['$request.body.form[key]', 'flat'],
    ['$request.body.list[]', ['one']],
    ['$request.body.list.0.k.v', 9],
    ['$request.body.list.0["k.v"]', 9],
    ['$steps.s.out.put.deep', 1],
    ['$steps.s["out.put"].deep', 1],
    ['$request.query["constructor"]', null],
    ['$request.query["__proto__"]', null],
    ['$request.query["unclosed', null],
    ['$request.query["a"]b', null],
    ['$request.query["\\x"]', null],
  ];
  for (const [text, value] of dots) {
    test(`${text} selects ${stringifyJson(value)} where keys hold dots`, () => {
      expect(resolveBindings(text, dotted)).toEqual(value);
    });
  }

  test('a dotted path through a body that was made for it costs no more than a moment', () => {
    const nest = (depth: number): object =>
      depth === 0
        ? {}
        : Object.fromEntries(
            Array.from({ length: Math.min(depth, 4) }, (_, n) => [
              Array(n + 1)
                .fill('a')
                .join('.'),
              nest(depth - n - 1),
            ]),
          );
    const body = nest(14);
    for (const length of [15, 16, 17, 120, 129]) expect(resolveBindings(`$request${'.a'.repeat(length)}`, { request: body })).toBeNull();
  });

  const nothing = [
    '$inputs.missing',
    '$inputs.name.length',
    '$inputs.list.2.id',
    '$inputs.list.-1',
    '$inputs.n.x',
    '$steps.skipped.value',
    '$nowhere.x',
    '$inputs.constructor',
    '$inputs.__proto__',
    '$inputs.toString',
    '$inputs.list.map',
    '$constructor.constructor',
    '$',
    '$inputs.',
    '$inputs..name',
    '$inputs name',
    '$(whoami)',
  ];
  for (const text of nothing) {
    test(`${text} selects nothing: null, and never a part of JavaScript itself`, () => {
      expect(resolveBindings(text, roots)).toBeNull();
    });
  }

  test('an exact number is selected as it is', () => {
    expect(String(resolveBindings('$inputs.exact', roots))).toBe('1.0');
  });
});

describe('binding a value', () => {
  test('selectors are replaced at any depth, and all else stays', () => {
    const value = { a: ['$inputs.name', { b: '$inputs.n', c: 'plain' }], d: 5, e: null, f: true, g: new ExactNumber('2.50') };
    expect(resolveBindings(value, roots)).toEqual({ a: ['Ada', { b: 0, c: 'plain' }], d: 5, e: null, f: true, g: new ExactNumber('2.50') });
  });

  test('$$ stands for a literal $, and a $ elsewhere for itself', () => {
    expect(resolveBindings(['$$inputs.name', '$$', 'costs $5', '$$$x'], roots)).toEqual(['$inputs.name', '$', 'costs $5', '$$x']);
  });

  test('a bare step is left for control flow to read', () => {
    expect(resolveBindings({ next_steps: ['$steps.made'] }, roots)).toEqual({ next_steps: ['$steps.made'] });
  });

  test('the value itself is never changed, and can be bound again', () => {
    const value = Object.freeze({ a: Object.freeze(['$inputs.name']) });
    const binding = compileBinding(value);
    expect(binding(roots)).toEqual({ a: ['Ada'] });
    expect(binding({ inputs: { name: 'Bob' } })).toEqual({ a: ['Bob'] });
    expect(value).toEqual({ a: ['$inputs.name'] });
  });

  test('a value without selectors comes back as it is, whatever it is', () => {
    const plain = fc.jsonValue({ stringUnit: fc.constantFrom('a', '.', '{', ' ') });
    fc.assert(fc.property(plain, (value) => void expect(resolveBindings(value, roots)).toEqual(value)));
  });

  test('no text makes binding fail, and what it gives is never a function', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = resolveBindings(`$${text}`, roots);
        expect(typeof value).not.toBe('function');
      }),
    );
  });
});

describe('reading selectors', () => {
  const part = fc.stringMatching(/^[^.\s$]{1,8}$/);

  test('any root and path of parts is taken apart and put together again', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z_]{1,8}$/), fc.array(part, { maxLength: 4 }), (root, path) => {
        expect(parseSelector(['$', root, ...path.map((key) => `.${key}`)].join(''))).toEqual({ root, path });
      }),
    );
  });

  const kinds: [string, boolean, string | null, boolean][] = [
    ['$steps.a', true, 'a', true],
    ['$steps.a.b', true, 'a', false],
    ['$steps', true, null, false],
    ['$inputs.a', true, null, false],
    ['$$steps.a', false, null, false],
    ['steps.a', false, null, false],
    ['', false, null, false],
  ];
  for (const [text, selects, step, isReference] of kinds) {
    test(`"${text}" ${selects ? 'is a selector' : 'is none'}, of step ${step}, ${isReference ? 'bare' : 'not bare'}`, () => {
      expect(isSelector(text)).toBe(selects);
      expect(selectedStep(text)).toBe(step);
      expect(isStepReference(text)).toBe(isReference);
    });
  }

  test('selectors are found in lists and objects, and not in keys', () => {
    expect(findSelectors({ $a: 1, b: ['$x.y', { c: '$z' }, '$$no', 5, null] })).toEqual(['$x.y', '$z']);
  });
});
