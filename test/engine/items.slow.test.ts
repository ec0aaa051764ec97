// The items of lists in memory: whatever fails and wherever the run is interrupted, it ends as if nothing had interrupted it,
// and nothing that has ended is done again.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDeliveryId } from '../../src/core/delivery/delivery-id.ts';
import type { OutboundMessage } from '../../src/core/delivery/outbound.ts';
import { parseJson } from '../../src/core/json/json.ts';
import { visitsToResume } from '../../src/core/run/item-visits.ts';
import type { Request } from '../../src/core/run/request.ts';
import { isTerminal } from '../../src/core/run/run.ts';
import type { StepDocument, WorkflowDocument } from '../../src/core/workflow/document.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { Execution } from '../../src/engine/execution/execution.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { StepRecord, Turn } from '../../src/storage/runs/run-records.ts';
import { unusedTools } from './unused-tools.ts';

const NOW = 1_767_225_600_000;
const stepTypes = createStepTypes(builtinStepTypes);
const tools = { ...unusedTools, stepTypes, random: () => 0.5 };

interface Told {
  end: Turn;
  records: StepRecord[];
  /** Keys of the messages, in the order in which they were sent, with what they hold. */
  sent: { key: string; body: unknown }[];
  progress: number[];
  messages: string[];
  turns: number;
  /** Once the run has ended. */
  awaited: number;
}

function bodyOf(message: OutboundMessage): unknown {
  const [part] = message.transport === 'http' ? (message.body ?? []) : [];
  if (!(part instanceof Uint8Array)) throw new Error('a message without bytes');
  return parseJson(Buffer.from(part).toString());
}

/** Draws from the numbers, one after the other. */
function drawFrom(numbers: readonly number[]): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return numbers[drawn % numbers.length] as number;
  };
}

interface Interruptions {
  /** By turn: the next one is planned from what is stored. */
  restarts: (turn: number) => boolean;
  /** Which of the messages in flight is answered next. */
  pick: (count: number) => number;
  status?: (body: any) => number;
}

const UNDISTURBED: Interruptions = { restarts: () => false, pick: () => 0 };

function run(document: WorkflowDocument, inputs: Record<string, unknown>, { restarts, pick, status = () => 200 } = UNDISTURBED): Told {
  expect(workflowFaults(document, stepTypes.inspect)).toEqual([]);
  const workflow = planWorkflow('w', 1, document);
  const base = { runId: 'run_1', sinkId: 'snk_1', workflow, request: {} as Request, inputs, bodyKind: 'json' as const, bodySize: 0 };
  const start = { ...base, isDry: false, kept: null };
  const stored = new Map<string, StepRecord>();
  const told: Told = { end: {} as Turn, records: [], sent: [], progress: [], messages: [], turns: 0, awaited: 0 };
  const inFlight: { step: string; visit: number; body: unknown }[] = [];
  let execution = new Execution(tools, start);
  for (let now = NOW; ; told.turns += 1) {
    if (told.turns > 2000) throw new Error('the run goes on and on');
    execution.advance(now);
    const turn = execution.takeTurn(now);
    told.progress.push(...turn.events.map(({ progress }) => progress));
    told.messages.push(...turn.events.flatMap(({ message }) => message ?? []));
    for (const record of turn.steps) {
      const key = `${record.step} ${record.visit}`;
      if (stored.get(key)?.finishedAt != null) throw new Error(`${key} was finished and is written again`);
      stored.set(key, record);
    }
    for (const { id, step, message } of turn.deliveries) {
      const visit = parseDeliveryId(id)?.visit ?? 0;
      const body = bodyOf(message);
      told.sent.push({ key: `${step}:${visit}`, body });
      inFlight.push({ step, visit, body });
    }
    if (isTerminal(turn.status))
      return { ...told, turns: told.turns + 1, awaited: execution.awaited, end: turn, records: [...stored.values()] };
    if (restarts(told.turns)) {
      const steps = visitsToResume([...stored.values()], ({ finishedAt }) => finishedAt === null);
      execution = new Execution(tools, start, { steps, isAnswered: false, progress: turn.progress, lastSeq: turn.lastSeq });
    }
    const [answered] = inFlight.splice(pick(inFlight.length), 1);
    if (answered !== undefined) {
      const answer = { status: status(answered.body), reason: '', headers: {}, body: new Uint8Array(), isTruncated: false };
      execution.giveResult(answered.step, answered.visit, { kind: 'response', ...answer } as never);
    } else if (turn.wakeAt === null) throw new Error(`stuck: ${JSON.stringify([...stored.values()])}`);
    else now = Math.max(now, turn.wakeAt);
  }
}

const input = (name: string) => ({ type: 'WorkflowParameter' as const, name });
const workflow = (inputs: string[], steps: StepDocument[], outputs: Record<string, string>): WorkflowDocument => ({
  version: '1.0',
  inputs: inputs.map(input),
  steps,
  outputs: Object.entries(outputs).map(([name, selector]) => ({ type: 'JsonField', name, selector })),
});
const set = (name: string, values: object, fields: object = {}): StepDocument => ({ type: 'sluice/set@v1', name, values, ...fields });
const send = (name: string, json: unknown, fields: object = {}): StepDocument => ({
  type: 'sluice/http_request@v1',
  name,
  url: 'https://receiver.test/',
  method: 'POST',
  json,
  ...fields,
});
const delay = (name: string, next: string[] = []): StepDocument => ({ type: 'sluice/delay@v1', name, seconds: 1, next_steps: next });
const forEach = (name: string, items: unknown, body: WorkflowDocument, fields: object = {}): StepDocument => ({
  type: 'sluice/for_each@v1',
  name,
  items,
  workflow_definition: body,
  parameter_bindings: { it: '$item' },
  ...fields,
});
const all = (steps: StepDocument[]): WorkflowDocument => workflow(['list'], steps, { all: `$steps.${steps.at(-1)?.name}.*` });
const outputOf = ({ end }: Told): any => (parseJson(end.output ?? 'null') as { all: unknown } | null)?.all;

const SENDING = workflow(['it'], [send('send', '$inputs.it'), set('after', { it: '$inputs.it', status: '$steps.send.status' })], {
  it: '$steps.after.it',
  status: '$steps.after.status',
});

test('each item runs once, in order, and the outputs are in the order of the list', () => {
  const told = run(all([forEach('each', '$inputs.list', SENDING)]), { list: ['a', null, [1, [2]], { b: 1 }] });
  expect(told.sent).toEqual([
    { key: 'each[].send:1', body: 'a' },
    { key: 'each[].send:2', body: null },
    { key: 'each[].send:3', body: [1, [2]] },
    { key: 'each[].send:4', body: { b: 1 } },
  ]);
  const results = ['a', null, [1, [2]], { b: 1 }].map((it) => ({ it, status: 200 }));
  expect(outputOf(told)).toEqual({ results, count: 4, failed: 0 });
  expect(told.messages.filter((text) => text.startsWith('item'))).toEqual(['item 1 of 4', 'item 2 of 4', 'item 3 of 4', 'item 4 of 4']);
  expect(told.progress).toEqual([...told.progress].sort((a, b) => a - b));
  expect(new Set(told.progress).size).toBeGreaterThan(3);
});

const NESTED = all([
  forEach(
    'outer',
    '$inputs.list',
    workflow(
      ['it'],
      [
        send('begin', { begin: '$inputs.it.id' }),
        forEach(
          'inner',
          '$inputs.it.parts',
          workflow(['it'], [send('part', { part: '$inputs.it' }), delay('pause')], { part: '$steps.part.status' }),
          {
            max_concurrent: 2,
            max_items: 5,
            on_item_failure: 'continue',
          },
        ),
        send('last', { last: '$inputs.it.id', count: '$steps.inner.count' }),
        set('after', { inner: '$steps.inner.*', begun: '$steps.begin.status', last: '$steps.last.status' }),
      ],
      { inner: '$steps.after.inner' },
    ),
    { max_concurrent: 3, max_items: 8, on_item_failure: 'continue' },
  ),
  set('end', { results: '$steps.outer.results', failed: '$steps.outer.failed' }),
]);

describe('a restart between any two turns changes nothing', () => {
  const lists = fc.array(fc.record({ id: fc.nat(9), parts: fc.array(fc.nat(9), { maxLength: 5 }) }), { maxLength: 8 });
  const seeds = fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 });

  test('of nested lists whose items fail or not', () => {
    fc.assert(
      fc.property(lists, seeds, fc.nat(9), (list, numbers, bad) => {
        const draw = drawFrom(numbers);
        const status = (body: { last?: number; part?: number }): number => (body.last === bad || body.part === bad ? 400 : 200);
        const calm = run(NESTED, { list }, { ...UNDISTURBED, status });
        const disturbed = run(NESTED, { list }, { restarts: () => draw() % 2 === 0, pick: (count) => draw() % Math.max(count, 1), status });
        expect(disturbed.end.output).toBe(calm.end.output);
        expect(disturbed.sent.map(({ key }) => key).sort()).toEqual(calm.sent.map(({ key }) => key).sort());
        expect(new Set(disturbed.sent.map(({ key }) => key)).size).toBe(disturbed.sent.length);
        expect(disturbed.records.length).toBe(calm.records.length);
      }),
      { numRuns: 150 },
    );
  });

  const STOPPING = workflow(
    ['it'],
    [
      send('left', { left: '$inputs.it' }),
      delay('pause', ['$steps.late']),
      send('right', { right: '$inputs.it' }),
      send('late', { late: '$inputs.it' }),
    ],
    { left: '$steps.left.status' },
  );

  test('of a list that stops at the first failure, with steps of it in flight', () => {
    const document = all([
      forEach('each', '$inputs.list', STOPPING, { max_concurrent: 2, on_failure: ['$steps.caught'] }),
      set('caught', { error: '$steps.each.error' }),
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }), seeds, (list, numbers) => {
        const draw = drawFrom(numbers);
        const status = (body: { left?: number }): number => (body.left === 0 ? 400 : 200);
        const told = run(document, { list }, { restarts: () => draw() % 2 === 0, pick: (count) => draw() % Math.max(count, 1), status });
        expect(told.end.status).toBe('completed');
        const keys = told.sent.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        const error = outputOf(told)?.error;
        if (!list.includes(0)) expect(error ?? null).toBeNull();
        else
          expect(error).toMatchObject({
            code: 'delivery_failed',
            message: expect.stringMatching(/^item \d of \d failed at each\[\]\.left: /),
          });
        // Nothing is left open that could wake the run for ever.
        expect(told.records.filter(({ finishedAt }) => finishedAt === null)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

test('with "stop" a failure ends the run at once, and names the item and its step', () => {
  const told = run(
    all([forEach('each', '$inputs.list', SENDING)]),
    { list: [1, 2, 3] },
    { ...UNDISTURBED, status: (body) => (body === 2 ? 500 : 200) },
  );
  expect(told.sent.map(({ body }) => body)).toEqual([1, 2]);
  expect(told.end.error).toEqual({
    code: 'delivery_failed',
    message: 'item 2 of 3 failed at each[].send: the receiver answered 500',
    step: 'each',
  });
});

test('a run that fails with steps of its items in flight stores what has ended, and says what it waited for', () => {
  const body = workflow(['it'], [send('left', { left: '$inputs.it' }), send('right', { right: '$inputs.it' })], {
    left: '$steps.left.status',
  });
  const document = all([forEach('each', '$inputs.list', body, { max_concurrent: 2 })]);
  const told = run(document, { list: [0, 1] }, { ...UNDISTURBED, status: ({ left }) => (left === 0 ? 400 : 200) });
  expect(told.end.error).toMatchObject({ step: 'each' });
  const states = told.records.map(({ step, visit, status }) => `${step} ${visit} ${status}`).sort();
  expect(states).toEqual([
    'each 1 failed',
    'each[].left 1 failed',
    'each[].left 2 waiting',
    'each[].right 1 waiting',
    'each[].right 2 waiting',
  ]);
  expect(told.awaited).toBe(3);
});

test('with "continue" the error takes the place of the outputs', () => {
  const document = all([forEach('each', '$inputs.list', SENDING, { on_item_failure: 'continue' })]);
  const told = run(document, { list: [1, 2, 3] }, { ...UNDISTURBED, status: (body) => (body === 2 ? 500 : 200) });
  expect(outputOf(told)).toEqual({
    results: [
      { it: 1, status: 200 },
      { error: { code: 'delivery_failed', message: 'the receiver answered 500', step: 'each[].send' } },
      { it: 3, status: 200 },
    ],
    count: 3,
    failed: 1,
  });
  expect(told.messages).toContain('item 2 of 3 failed: the receiver answered 500');
});

test('max_concurrent items run at once, begun in their order', () => {
  const document = all([forEach('each', '$inputs.list', SENDING, { max_concurrent: 3 })]);
  const sentWhenAnswered: number[] = [];
  let sent = 0;
  const pick = (count: number): number => {
    sentWhenAnswered.push(count);
    sent = count;
    return count - 1;
  };
  const told = run(document, { list: [1, 2, 3, 4, 5, 6] }, { restarts: () => false, pick });
  expect(sent).toBe(1);
  expect(Math.max(...sentWhenAnswered)).toBe(3);
  expect(told.sent.map(({ body }) => body)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(outputOf(told).results.map(({ it }: { it: number }) => it)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a long list without waits takes turns of a hundred items, each of them stored', () => {
  const pure = workflow(['it'], [set('copy', { it: '$inputs.it' })], { it: '$steps.copy.it' });
  const list = Array.from({ length: 1000 }, (_, index) => index);
  const told = run(all([forEach('each', '$inputs.list', pure, { max_items: 1000 })]), { list }, { restarts: () => true, pick: () => 0 });
  expect(told.turns).toBe(10);
  expect(outputOf(told).results.map(({ it }: { it: number }) => it)).toEqual(list);
  expect(told.records).toHaveLength(2001);
});

test('a turn stores at most about 256 KiB of items, and results have a limit', () => {
  const pure = workflow(['it'], [set('copy', { it: '$inputs.it' })], { it: '$steps.copy.it' });
  const list = Array.from({ length: 6 }, () => 'x'.repeat(2 ** 20));
  const told = run(all([forEach('each', '$inputs.list', pure)]), { list });
  expect(told.turns).toBe(4);
  expect(told.end.error).toEqual({
    code: 'results_too_large',
    message: 'the outputs of the items hold more than 4 MiB in all; let their workflow have smaller outputs',
    step: 'each',
  });
});

test.each([
  ['null', null, 'items must be a list, but is null'],
  ['an object', { length: 1 }, 'items must be a list, but is {"length":1}'],
  ['text', '[1]', 'items must be a list, but is "[1]"'],
  ['a list that is too long', [1, 2, 3], 'the list has 3 items, and max_items allows 2'],
])('%s instead of the list fails before any item runs', (_, list, message) => {
  const told = run(all([forEach('each', '$inputs.list', SENDING, { max_items: 2 })]), { list });
  expect(told.end.error).toMatchObject({ step: 'each', message });
  expect(told.sent).toEqual([]);
});

test('an empty list completes at once', () => {
  expect(outputOf(run(all([forEach('each', '$inputs.list', SENDING)]), { list: [] }))).toEqual({ results: [], count: 0, failed: 0 });
});

test('numbers stay exact, a key named __proto__ is a key, and $index counts from 0', () => {
  const body = workflow(['it', 'proto', 'n'], [set('copy', { it: '$inputs.it', proto: '$inputs.proto', n: '$inputs.n' })], {
    it: '$steps.copy.it',
    proto: '$steps.copy.proto',
    n: '$steps.copy.n',
  });
  const bindings = { it: '$item', proto: '$item.__proto__', n: '$index' };
  const told = run(all([forEach('each', '$inputs.list', body, { parameter_bindings: bindings })]), {
    list: parseJson('[12345678901234567890, {"__proto__": "a"}, 1.0]'),
  });
  const results =
    '[{"it":12345678901234567890,"proto":null,"n":0},{"it":{"__proto__":"a"},"proto":"a","n":1},{"it":1.0,"proto":null,"n":2}]';
  expect(told.end.output).toBe(`{"all":{"results":${results},"count":3,"failed":0}}`);
});

test('a loop may lead back to a for_each step, whose items run again under keys of their own', () => {
  const document = workflow(
    ['list'],
    [
      forEach('each', '$inputs.list', SENDING, { max_visits: 2, max_items: 3 }),
      { type: 'sluice/fail@v1', name: 'again', message: '$steps.each.count', max_visits: 2, on_failure: ['$steps.each'] },
    ],
    {},
  );
  const told = run(document, { list: [1, 2] }, { restarts: () => true, pick: () => 0 });
  expect(told.sent.map(({ key }) => key)).toEqual(['each[].send:1', 'each[].send:2', 'each[].send:4', 'each[].send:5']);
  expect(told.end.error).toMatchObject({ code: 'too_many_visits' });
});
