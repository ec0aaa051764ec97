// The Logic Stage: conditions, the chosen rule, and refused definitions.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { logicStage } from '../../../src/steps/v7/logic-stage.ts';
import { NO_PAYLOADS, payload, prediction } from '../payloads.ts';
import { faultsOf, stepContext } from '../roboflow/step-context.ts';

const ITEM = payload([
  prediction({ class: 'car', attributes: ['wet', 'red'], properties: [{ name: 'side', value: 'left' }] }),
  prediction({
    class: 'car',
    type: 'polygon',
    properties: [
      { name: 'seats', value: parseJson('4.0') },
      { name: 'chip', value: parseJson('9007199254740993') },
    ],
  }),
  prediction({ class: 'dog', properties: [{ name: 'mood', value: ['glad', 'tired'] }] }),
  prediction({ class: 'urgent', type: 'tag' }),
]);

const list = (operator: string, ...names: unknown[]) => ({ [operator]: names });
const anyOf = (...names: unknown[]) => list('is_any_of', ...names);
const noneOf = (...names: unknown[]) => list('is_none_of', ...names);

/** Whether the condition is true for the item. */
function holds(when: unknown, item: unknown = ITEM): boolean {
  const rules = [{ when, next_steps: ['$steps.yes'] }];
  expect(faultsOf(logicStage, { payload: '$request.payload', rules })).toEqual([]);
  const plan = logicStage.plan({ payload: item, rules }, stepContext());
  if (plan.kind !== 'completed') throw new Error(JSON.stringify(plan));
  expect(plan.chosen).toEqual(plan.outputs['matched'] === true ? ['yes'] : []);
  return plan.outputs['matched'] as boolean;
}

describe('conditions', () => {
  test.each<[boolean, object]>([
    [true, { classes: anyOf('dog') }],
    [true, { classes: anyOf('cat', 'car') }],
    [true, { classes: anyOf('urgent') }],
    [false, { classes: anyOf('cat') }],
    [true, { classes: noneOf('cat', 'cow') }],
    [false, { classes: noneOf('cat', 'dog') }],
    [true, { tags: anyOf('urgent') }],
    [false, { tags: anyOf('car') }],
    [true, { tags: noneOf('car') }],
    [true, { attributes: anyOf('red') }],
    [false, { attributes: noneOf('wet') }],
    [true, { property: { name: 'side', ...anyOf('left', 'right') } }],
    [false, { property: { name: 'side', ...anyOf('right') } }],
    [false, { property: { name: 'other', ...anyOf('left') } }],
    [true, { property: { name: 'other', ...noneOf('left') } }],
    [true, { property: { name: 'mood', ...anyOf('tired') } }],
    [false, { property: { name: 'mood', ...noneOf('tired') } }],
    [true, { property: { name: 'seats', ...anyOf(4) } }],
    [true, { property: { name: 'seats', ...anyOf('4') } }],
    [true, { property: { name: 'chip', ...anyOf('9007199254740993') } }],
    [false, { property: { name: 'chip', ...anyOf('9007199254740992') } }],
    [true, { count: { at_least: 4, at_most: 4 } }],
    [false, { count: { at_least: 5 } }],
    [true, { count: { class: 'car', at_least: 2 } }],
    [false, { count: { class: 'car', at_most: 1 } }],
    [true, { count: { class: 'cow', at_most: 0 } }],
    [true, { all: [{ classes: anyOf('car') }, { tags: anyOf('urgent') }] }],
    [false, { all: [{ classes: anyOf('car') }, { tags: anyOf('later') }] }],
    [true, { any: [{ classes: anyOf('cow') }, { all: [{ attributes: anyOf('wet') }, { any: [{ tags: anyOf('urgent') }] }] }] }],
    [false, { any: [{ classes: anyOf('cow') }, { tags: anyOf('later') }] }],
  ])('a condition is %s: %j', (expected, when) => {
    expect(holds(when)).toBe(expected);
  });

  test('a condition on an item without annotations is true if it demands none', () => {
    expect(holds({ classes: noneOf('car') }, payload())).toBe(true);
    expect(holds({ count: { at_most: 0 } }, payload())).toBe(true);
    expect(holds({ classes: anyOf('car') }, payload())).toBe(false);
  });
});

describe('the stage', () => {
  const rules = [
    { name: 'dogs', when: { classes: anyOf('dog') }, next_steps: ['$steps.kennel'] },
    { when: { classes: anyOf('dog', 'cat') }, next_steps: ['$steps.pets', '$steps.log'] },
  ];
  const plan = (...classes: string[]) =>
    logicStage.plan({ payload: payload(classes.map((name) => prediction({ class: name }))), rules, else: ['$steps.rest'] }, stepContext());

  test('the first rule whose condition is true is taken, otherwise else', () => {
    expect(plan('cat', 'dog')).toEqual({ kind: 'completed', outputs: { rule: 0, name: 'dogs', matched: true }, chosen: ['kennel'] });
    expect(plan('cat')).toEqual({ kind: 'completed', outputs: { rule: 1, name: null, matched: true }, chosen: ['pets', 'log'] });
    expect(plan('cow')).toEqual({ kind: 'completed', outputs: { rule: null, name: null, matched: false }, chosen: ['rest'] });
  });

  test('the payload of the request is the default', () => {
    const context = stepContext({ roots: { inputs: {}, steps: {}, request: { payload: ITEM } } });
    expect(logicStage.plan({ rules }, context)).toMatchObject({ outputs: { name: 'dogs' } });
  });

  test.each(NO_PAYLOADS)('a logic stage fails without a typed payload: %j', (value) => {
    expect(logicStage.plan({ payload: value, rules }, stepContext())).toMatchObject({ kind: 'failed', error: { code: 'invalid_payload' } });
  });

  test.each([
    [{ classes: { is_any_of: null } }, 'is_any_of must be a list of texts'],
    [{ classes: { is_none_of: ['a', null] } }, 'is_none_of must be a list of texts'],
    [{ classes: { is_none_of: 'car' } }, 'is_none_of must be a list of texts'],
    [{ count: { at_least: null } }, 'at_least and at_most must be whole numbers'],
  ])('a logic stage fails for the selected value %j', (when, message) => {
    const failed = logicStage.plan({ payload: ITEM, rules: [{ when, next_steps: [] }] }, stepContext());
    expect(failed).toMatchObject({ kind: 'failed', error: { code: 'invalid_condition', message } });
  });
});

describe('definitions of a logic stage', () => {
  const ONE = 'must be an object with exactly one condition of all, any, classes, tags, attributes, property, count';
  test.each<[object, string]>([
    [{}, `rules[0].when: ${ONE}`],
    [{ class: anyOf('a') }, `rules[0].when: ${ONE}`],
    [{ all: [{}], any: [{}] }, `rules[0].when: ${ONE}`],
    [{ all: [] }, 'rules[0].when.all: must be a list of at least one condition'],
    [{ any: [{ all: [null] }] }, `rules[0].when.any[0].all[0]: ${ONE}`],
    [{ constructor: anyOf('a') }, `rules[0].when: ${ONE}`],
    [{ classes: ['a'] }, 'rules[0].when.classes: must be an object'],
    [{ classes: {} }, 'rules[0].when.classes: must have either is_any_of or is_none_of'],
    [{ classes: { is: ['a'] } }, 'rules[0].when.classes: must have either is_any_of or is_none_of'],
    [{ tags: anyOf() }, 'rules[0].when.tags.is_any_of: must be a list of at least one text, or a selector of a list'],
    [{ tags: { is_any_of: '$steps.a' } }, 'rules[0].when.tags.is_any_of: must be a list of at least one text, or a selector of a list'],
    [{ tags: anyOf('a', '$steps.b') }, 'rules[0].when.tags.is_any_of[1]: must be text, a number, true or false, or a selector of it'],
    [{ property: anyOf('a') }, 'rules[0].when.property.name: must be the name of a property'],
    [{ property: { name: 'x' } }, 'rules[0].when.property: must have either is_any_of or is_none_of'],
    [{ count: {} }, 'rules[0].when.count: must have at_least or at_most'],
    [{ count: { at_least: -1 } }, 'rules[0].when.count.at_least: must be a whole number of 0 or more, or a selector of one'],
    [{ count: { at_most: 1.5 } }, 'rules[0].when.count.at_most: must be a whole number of 0 or more, or a selector of one'],
    [{ count: { at_most: 1, exactly: 1 } }, 'rules[0].when.count: unknown field "exactly"; known are class, at_least, at_most'],
  ])('a logic stage is refused with its place for the condition %j', (when, fault) => {
    expect(faultsOf(logicStage, { rules: [{ when, next_steps: [] }] })).toEqual([fault]);
  });

  test('endlessly nested conditions are refused', () => {
    let when: object = { classes: anyOf('a') };
    for (let depth = 0; depth < 1000; depth += 1) when = { all: [when] };
    expect(faultsOf(logicStage, { rules: [{ when, next_steps: [] }] }).join()).toContain('must not be nested more than 10 deep');
  });

  test('rules that lead to no step are refused', () => {
    const when = { classes: anyOf('a') };
    expect(faultsOf(logicStage, { rules: [{ when, next_steps: ['a'] }] })).toEqual([
      'rules[0].next_steps[0]: must name a step, such as "$steps.name"',
    ]);
    expect(faultsOf(logicStage, { rules: [{ when }] })).toEqual(['rules[0]: field "next_steps" is missing']);
    expect(faultsOf(logicStage, { rules: [], else: '$steps.a' })).toHaveLength(2);
  });
});
