// The workflows that a request starts: which settings are refused, and which values match a filter.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../src/core/json/json.ts';
import { fanOutFilter } from '../../src/core/sink/fan-out-filter.ts';
import { parseSink } from '../../src/core/sink/sink.ts';
import { compileSelector } from '../../src/core/workflow/bindings.ts';
import { describeSink } from '../../src/definitions/sinks/describe-sink.ts';

const EVENT = '$request.headers.x-github-event';

function parse(fields: Record<string, unknown>) {
  return parseSink({ app_id: 'shop', path: '/hook', method: 'POST', auth_token: null, ...fields });
}

const faultsOf = (fields: Record<string, unknown>): string[] => parse(fields).faults.map(({ path, message }) => `${path}: ${message}`);
const faultsOfWhen = (when: unknown): string[] => faultsOf({ workflows: [{ workflow_id: 'a', when }] });

/** The ids of the workflows that start, of entries `[id, when]`. */
function startedBy(entries: [string, unknown?][], request: object): string[] {
  const { sink, faults } = parse({
    workflows: entries.map(([id, when]) => ({ workflow_id: id, ...(when === undefined ? {} : { when }) })),
  });
  expect(faults).toEqual([]);
  const { selectors, match } = fanOutFilter(sink?.workflows ?? []);
  return match(selectors.map((text) => compileSelector(text)({ request }))).map(({ workflowId }) => workflowId);
}

/** Whether the filter matches a request whose body is the JSON text. */
const matches = (when: unknown, body: string): boolean => startedBy([['a', when]], { body: parseJson(body) }).length === 1;

describe('a filter', () => {
  test('starts every workflow that matches, in the order of the sink', () => {
    const entries: [string, unknown?][] = [
      ['z', { [EVENT]: 'push' }],
      ['all', undefined],
      ['opened', { [EVENT]: 'pull_request', '$request.body.action': ['opened', 'reopened'] }],
      ['either', [{ [EVENT]: 'push' }, { '$request.body.action': 'closed' }]],
    ];
    const of = (event: string, body: object): string[] => startedBy(entries, { headers: { 'x-github-event': event }, body });
    expect(of('push', {})).toEqual(['z', 'all', 'either']);
    expect(of('pull_request', { action: 'reopened' })).toEqual(['all', 'opened']);
    expect(of('pull_request', { action: 'closed' })).toEqual(['all', 'either']);
    expect(of('Push', {})).toEqual(['all']);
  });

  test('"otherwise" starts what no other entry matches', () => {
    const entries: [string, unknown?][] = [
      ['rest', 'otherwise'],
      ['a', { '$request.body.x': 1 }],
    ];
    expect(startedBy(entries, { body: { x: 1 } })).toEqual(['a']);
    expect(startedBy(entries, { body: { x: 2 } })).toEqual(['rest']);
  });

  test.each([
    // Numbers by value, never text.
    [1, '{"x":1}', true],
    [1, '{"x":1.0}', true],
    [1, '{"x":1e0}', true],
    [1, '{"x":"1"}', false],
    [1, '{"x":true}', false],
    [1, '{"x":[1]}', false],
    [1, '{"x":1.5}', false],
    [1.5, '{"x":1.50}', true],
    ['1', '{"x":1}', false],
    ['1.0', '{"x":1.0}', false],
    [9007199254740991, '{"x":9007199254740991}', true],
    [9007199254740991, '{"x":9007199254740992}', false],
    [9007199254740991, '{"x":90071992547409910}', false],
    [0, '{"x":-0}', true],
    [0, '{"x":1e-400}', true],
    [true, '{"x":true}', true],
    [true, '{"x":"true"}', false],
    [false, '{}', false],
    ['', '{"x":""}', true],
    ['', '{}', false],
    // Null is also a missing value.
    [null, '{"x":null}', true],
    [null, '{}', true],
    [null, '7', true],
    [null, '{"x":0}', false],
    [[null, 'a'], '{"x":"a"}', true],
    [['b', 'a'], '{"x":"c"}', false],
    // Unicode as it came: these two are written alike.
    ['é', '{"x":"é"}', true],
    ['é', '{"x":"e\u0301"}', false],
  ])('%j matches %s: %s', (wanted, body, expected) => {
    expect(matches({ '$request.body.x': wanted }, body)).toBe(expected);
  });

  test.each([
    ['$request.body.constructor.name', 'Object', '{}'],
    ['$request.body.__proto__.x', null, '{"a":1}'],
    ['$request.body["toString"]', 'x', '{}'],
    ['$request.body.length', 2, '"ab"'],
  ])('of %s sees only what the request has', (selector, wanted, body) => {
    expect(matches({ [selector]: wanted }, body)).toBe(wanted === null);
  });

  test('follows deep selectors', () => {
    const depth = 100;
    const body = `${'{"a":'.repeat(depth)}"x"${'}'.repeat(depth)}`;
    expect(matches({ [`$request.body${'.a'.repeat(depth)}`]: 'x' }, body)).toBe(true);
    expect(matches({ [`$request.body${'.a'.repeat(depth + 1)}`]: 'x' }, body)).toBe(false);
  });
});

describe('a sink with workflows', () => {
  test('is written as it was read', () => {
    const workflows = [
      { workflow_id: 'a', when: { [EVENT]: 'push', '$request.body.n': [1, null] }, inputs: { who: '$request.body.who' } },
      { workflow_id: 'b', when: [{ [EVENT]: 'a' }, { [EVENT]: 'b' }] },
      { workflow_id: 'c', when: 'otherwise' },
    ];
    const { sink } = parse({ workflows, response: 'accept', flow: { max_concurrent: 2 } });
    expect(describeSink(sink as any)['workflows']).toEqual(workflows);
  });

  test.each([
    [{ workflow_id: 'b', workflows: [{ workflow_id: 'a' }] }, 'workflows: cannot stand beside workflow_id'],
    [{ inputs: { x: '$request.body.x' }, workflows: [{ workflow_id: 'a' }] }, 'inputs: cannot stand beside workflows'],
    [{ split: '$request.body', workflows: [{ workflow_id: 'a' }] }, 'workflows: cannot stand beside split'],
    [{ schedules: [{ name: 'n', cron: '* * * * *' }], workflows: [{ workflow_id: 'a' }] }, 'schedules: cannot stand beside workflows'],
    [{ response: 'wait', workflows: [{ workflow_id: 'a' }] }, 'response: cannot be "wait" beside workflows'],
    [{ response: 'stream', workflows: [{ workflow_id: 'a' }] }, 'response: cannot be "stream" beside workflows'],
    [{ response: 'respond', workflows: [{ workflow_id: 'a' }] }, 'response: cannot be "respond" beside workflows'],
    [{ response: 'form', workflows: [{ workflow_id: 'a' }] }, 'response: cannot be "form" beside workflows'],
    [{ flow: { debounce: { seconds: 1 } }, workflows: [{ workflow_id: 'a' }] }, 'flow.debounce: cannot stand beside workflows'],
    [{ flow: { batch: { size: 2, seconds: 1 } }, workflows: [{ workflow_id: 'a' }] }, 'flow.batch: cannot stand beside workflows'],
    [{ flow: { cooldown: { seconds: 1 } }, workflows: [{ workflow_id: 'a' }] }, 'flow.cooldown: cannot stand beside workflows'],
    [
      { flow: { max_concurrent: 1, overflow: 'drop' }, workflows: [{ workflow_id: 'a' }] },
      'flow.overflow: must be "queue" beside workflows',
    ],
    [
      { flow: { max_concurrent: 1, queue_limit: 1 }, workflows: [{ workflow_id: 'a' }, { workflow_id: 'b' }] },
      'flow.queue_limit: must be at least 2',
    ],
    [{ workflows: [] }, 'workflows: must NOT have fewer than 1 items'],
    [{ workflows: Array.from({ length: 17 }, (_, n) => ({ workflow_id: `w${n}` })) }, 'workflows: must NOT have more than 16 items'],
    [{ workflows: null }, 'workflows: must be array'],
    [{ workflows: {} }, 'workflows: must be array'],
    [{ workflows: ['a'] }, 'workflows[0]: must be object'],
    [{ workflows: [{}] }, 'workflows[0]: field "workflow_id" is missing'],
    [{ workflows: [{ workflow_id: 'a', filter: {} }] }, 'workflows[0]: unknown field "filter"'],
    [{ workflows: [{ workflow_id: 7 }] }, 'workflows[0].workflow_id: must be string'],
    [{ workflows: [{ workflow_id: 'a' }, { workflow_id: 'a' }] }, 'workflows[1].workflow_id: "a" is in workflows[0] already'],
    [{ workflows: [{ workflow_id: 'a' }, { workflow_id: 'b', when: 'otherwise' }] }, 'workflows[1].when: can never match: workflows[0]'],
    [
      { workflows: [{ workflow_id: 'a', inputs: { x: '$inputs.x' } }] },
      'workflows[0].inputs.x: "$inputs.x" must be a selector of the request',
    ],
  ])('is refused: %j', (fields, message) => {
    expect(faultsOf(fields).join('\n')).toContain(message);
  });

  test.each([
    [null, 'workflows[0].when: must be an object such as'],
    ['always', 'workflows[0].when: must be an object such as'],
    [7, 'workflows[0].when: must be an object such as'],
    [{}, 'workflows[0].when: must have 1 to 16 selectors; it has 0'],
    [[], 'workflows[0].when: must have 1 to 8 conditions; it has 0'],
    [[[]], 'workflows[0].when[0]: must be an object such as'],
    [[{ [EVENT]: 'a' }, 'otherwise'], 'workflows[0].when[1]: must be an object such as'],
    [Array.from({ length: 9 }, () => ({ [EVENT]: 'a' })), 'workflows[0].when: must have 1 to 8 conditions; it has 9'],
    [
      Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`$request.body.f${n}`, 1])),
      'workflows[0].when: must have 1 to 16 selectors; it has 17',
    ],
    [{ '$request.body.x': [] }, 'workflows[0].when.$request.body.x: must have 1 to 64 values; it has 0'],
    [{ '$request.body.x': Array.from({ length: 65 }, (_, n) => n) }, 'must have 1 to 64 values; it has 65'],
    [{ '$request.body.x': { not: 1 } }, 'must be text, a number, true, false or null'],
    [{ '$request.body.x': [['a']] }, '$request.body.x[0]: must be text, a number, true, false or null'],
    [{ '$request.body.x': 'y'.repeat(1025) }, 'must have at most 1024 characters; it has 1025'],
    [{ '$request.body.x': 2 ** 53 }, 'must be a number below 2^53'],
    [{ '$request.body.x': -1e300 }, 'must be a number below 2^53'],
    [{ '$request.query.n': 17 }, '17 can never match: the request has text here; write "17"'],
    [{ '$request.headers.x-flag': [true] }, 'true can never match: the request has text here; write "true"'],
    [{ '$inputs.x': 1 }, 'must be a selector of the request'],
    [{ 'body.x': 1 }, 'must be a selector of the request'],
    [{ __proto__x: 1 }, 'must be a selector of the request'],
    [JSON.parse('{"__proto__": 1}'), '"__proto__" must be a selector of the request'],
    [{ '$request.headers.authorization': 'x' }, 'is never shown to anyone'],
    [{ '$request.headers.X-GitHub-Event': 'x' }, 'names of headers are in lower case'],
    [{ '$request.bodies.x': 'x' }, '$request has no "bodies"'],
    [{ '$request.payload.kind': 'x' }, 'the sink has no "payload"'],
    [{ [`$request.body${'.a'.repeat(129)}`]: 'x' }, 'must be a selector of the request'],
  ])('whose filter is %.60j is refused', (when, message) => {
    expect(faultsOfWhen(when).join('\n')).toContain(message);
  });
});
