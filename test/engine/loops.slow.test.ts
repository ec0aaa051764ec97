// Loops in memory: whatever a workflow's transitions are, its runs end, and a restart between any two turns changes nothing.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Request } from '../../src/core/run/request.ts';
import { isTerminal } from '../../src/core/run/run.ts';
import { isAnswer } from '../../src/core/run/run-answer.ts';
import type { ProgressEvent } from '../../src/core/run/run-event.ts';
import type { StepDocument, WorkflowDocument } from '../../src/core/workflow/document.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { Execution } from '../../src/engine/execution/execution.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { StepRecord, Turn } from '../../src/storage/runs/run-records.ts';
import { testSteps } from './test-steps.ts';
import { unusedTools } from './unused-tools.ts';

const NOW = 1_767_225_600_000;
const stepTypes = createStepTypes([...builtinStepTypes, ...testSteps]);
const tools = { ...unusedTools, stepTypes, random: () => 0.5 };

interface Told {
  end: Turn;
  events: ProgressEvent[];
  /** Every visit, in the order in which they began. */
  records: StepRecord[];
}

/** Runs to the end; with `restarts` each turn is planned by an execution of its own, from what is stored. */
function run(document: WorkflowDocument, restarts = false): Told {
  const workflow = planWorkflow('w', 1, document);
  const start = {
    runId: 'run_1',
    sinkId: 'snk_1',
    workflow,
    request: {} as Request,
    inputs: {},
    bodyKind: 'empty' as const,
    bodySize: 0,
    isDry: false,
    kept: null,
  };
  const stored = new Map<string, StepRecord>();
  const events: ProgressEvent[] = [];
  let execution = new Execution(tools, start);
  for (let now = NOW, turns = 0; ; turns += 1) {
    if (turns > 5000) throw new Error('the run goes on and on');
    execution.advance(now);
    const turn = execution.takeTurn(now);
    events.push(...turn.events);
    for (const record of turn.steps) {
      const key = `${record.step} ${record.visit}`;
      const before = stored.get(key);
      if (before?.finishedAt != null) throw new Error(`${key} was finished and is written again`);
      if (before?.startedAt === null) stored.delete(key);
      stored.set(key, record);
    }
    if (isTerminal(turn.status)) return { end: turn, events, records: [...stored.values()] };
    if (turn.wakeAt === null) throw new Error(`stuck: ${JSON.stringify([...stored.values()])}`);
    now = turn.wakeAt;
    if (!restarts) continue;
    const last = new Map([...stored.values()].sort((a, b) => a.visit - b.visit).map((record) => [record.step, record]));
    const isAnswered = [...stored.values()].some(isAnswer);
    execution = new Execution(tools, start, { steps: [...last.values()], isAnswered, progress: turn.progress, lastSeq: turn.lastSeq });
  }
}

const workflow = (steps: StepDocument[], outputs: WorkflowDocument['outputs'] = []): WorkflowDocument => ({
  version: '1.0',
  inputs: [],
  steps,
  outputs,
});
const visit = (name: string, fields: object = {}): StepDocument => ({ type: 'test/visit@v1', name, ...fields });
const failsUntil = (count: number) => [...Array.from({ length: count - 1 }, () => ({ fails: true })), {}];
const shown = ({ records }: Told): string[] => records.map(({ step, visit: number, status }) => `${step} ${number} ${status}`);
const messages = ({ events }: Told): string[] => events.flatMap(({ message }) => message ?? []);

test('a loop runs until it succeeds, every visit is on record, and the steps behind it run once', () => {
  const result = run(
    workflow([
      visit('work'),
      visit('check', { reads: '$steps.work.visit', visits: failsUntil(3), on_success: ['$steps.end'], on_failure: ['$steps.work'] }),
      visit('end', { reads: '$steps.check.reads' }),
      visit('aside'),
    ]),
  );
  expect(result.end).toMatchObject({ status: 'completed', progress: 100 });
  expect(shown(result).filter((text) => text !== 'aside 1 completed')).toEqual([
    'work 1 completed',
    'check 1 failed',
    'work 2 completed',
    'check 2 failed',
    'work 3 completed',
    'check 3 completed',
    'end 1 completed',
  ]);
  expect(shown(result)).toContain('aside 1 completed');
  expect(messages(result)).toEqual([
    'failed: visit 1 is too early',
    'back to work, visit 2 of 6',
    'failed: visit 2 is too early',
    'back to work, visit 3 of 6',
  ]);
  expect(result.records.at(-1)?.outputs).toContain('"reads":3');
});

test('each visit draws other random numbers, and the same ones when it is planned again', () => {
  const steps = [
    visit('a', { visits: [{ chosen: ['a'], seconds: 1 }, { chosen: ['a'], seconds: 1 }, { chosen: [] }], transitions: ['$steps.a'] }),
  ];
  const drawn = ({ records }: Told) => records.map(({ outputs }) => JSON.parse(outputs ?? '').random);
  const draws = drawn(run(workflow(steps)));
  expect(new Set(draws).size).toBe(3);
  expect(drawn(run(workflow(steps), true))).toEqual(draws);
});

test('of the visits of a respond step the first answers, also after a restart between two visits', () => {
  const steps = [
    { type: 'sluice/delay@v1', name: 'pause', seconds: 1, next_steps: ['$steps.answer'] },
    { type: 'sluice/respond@v1', name: 'answer', body: 'yes', on_success: ['$steps.check'] },
    visit('check', { visits: failsUntil(3), on_failure: ['$steps.pause'] }),
  ];
  for (const restarts of [false, true]) {
    const { end, records } = run(workflow(steps), restarts);
    expect(end.status).toBe('completed');
    const answers = records.filter(({ step }) => step === 'answer').map(({ outputs }) => JSON.parse(outputs as string));
    expect(answers).toEqual([{ is_sent: true, status: 200, headers: {}, body: 'yes' }, { is_sent: false }, { is_sent: false }]);
  }
});

test('a run that would visit a step more often than it may fails, and names the step, the cap and who sent it back', () => {
  const result = run(workflow([visit('a', { max_visits: 2 }), visit('b', { reads: '$steps.a.visit', transitions: ['$steps.a'] })]));
  expect(result.end.error).toEqual({
    code: 'too_many_visits',
    message: 'step "a" may be visited 2 times (max_visits), and step "b" sent the run back to it once more',
    step: 'a',
  });
  expect(shown(result)).toEqual(['a 1 completed', 'b 1 completed', 'a 2 completed', 'b 2 completed']);
});

test('without a cap of its own a step is visited six times', () => {
  const result = run(workflow([visit('a', { transitions: ['$steps.a'] })]));
  expect(shown(result)).toHaveLength(6);
  expect(result.end.error?.message).toContain('6 times');
});

test('loops in loops end the run before they fill the memory', () => {
  const names = Array.from({ length: 150 }, (_, index) => `s${index}`);
  const steps = names.map((name, index) =>
    visit(name, {
      max_visits: 100,
      reads: index === 0 ? 1 : `$steps.s${index - 1}.visit`,
      transitions: names.slice(0, index + 1).map((other) => `$steps.${other}`),
    }),
  );
  const { end, records } = run(workflow(steps));
  expect(end).toMatchObject({ status: 'failed', error: { code: 'too_many_visits' } });
  expect(records.length).toBeLessThan(11_000);
});

test('a step that failed and has on_failure does not end its run: its error can be read, its other outputs are skipped', () => {
  const result = run(
    workflow(
      [
        {
          type: 'sluice/fail@v1',
          name: 'f',
          code: 'sold_out',
          message: 'no lamps left',
          on_failure: ['$steps.note'],
          on_success: ['$steps.never'],
        },
        visit('note', { reads: '$steps.f.error.message' }),
        visit('other', { reads: ['$steps.f.error.code', '$steps.f.*'] }),
        visit('unasked', { reads: '$steps.f.error' }),
        visit('never'),
      ],
      [{ type: 'JsonField', name: 'code', selector: '$steps.f.error.code' }],
    ),
  );
  expect(result.end).toMatchObject({ status: 'completed', output: '{"code":"sold_out"}' });
  expect(shown(result)).toEqual(['f 1 failed', 'note 1 completed', 'other 1 skipped', 'unasked 1 completed', 'never 1 skipped']);
  expect(result.records[0]).toMatchObject({
    error: { code: 'sold_out', message: 'no lamps left' },
    outputs: '{"error":{"code":"sold_out","message":"no lamps left"}}',
    chosen: ['note'],
  });
  expect(result.records[1]?.outputs).toContain('"reads":"no lamps left"');
});

test('a failure follows on_failure only after the last retry; an empty list counts as none', () => {
  const failing = { type: 'sluice/fail@v1', name: 'f', retry: { max_retries: 2, base_seconds: 1 } };
  const result = run(workflow([{ ...failing, on_failure: ['$steps.note'] }, visit('note')]));
  expect(messages(result).map((text) => text.slice(0, 16))).toEqual(['attempt 1 failed', 'attempt 2 failed', 'failed: the work']);
  expect(result.end.status).toBe('completed');
  expect(run(workflow([{ ...failing, on_failure: [] }])).end).toMatchObject({ status: 'failed', error: { step: 'f' } });
});

test('what a step chooses itself and its on_success both run, its on_failure does not', () => {
  const result = run(
    workflow([
      { type: 'sluice/delay@v1', name: 'd', seconds: 0, next_steps: ['$steps.a'], on_success: ['$steps.b'], on_failure: ['$steps.c'] },
      visit('a'),
      visit('b'),
      visit('c'),
    ]),
  );
  expect(shown(result)).toEqual(['d 1 completed', 'a 1 completed', 'b 1 completed', 'c 1 skipped']);
});

test('a type with an on_failure of its own chooses it itself, and its failure ends the run', () => {
  const document = (fails: boolean) => workflow([visit('a'), { type: 'test/own-transition@v1', name: 'b', fails, on_failure: '$steps.a' }]);
  expect(workflowFaults(document(true), stepTypes.inspect)).toEqual([]);
  expect(run(document(true)).end).toMatchObject({ status: 'failed', error: { code: 'broken', step: 'b' } });
  const self = workflow([{ type: 'test/own-transition@v1', name: 'b', on_failure: '$steps.b' }]);
  expect(shown(run(self))).toEqual(['b 1 completed', 'b 2 completed']);
});

test('a branch that was skipped runs when the run is sent back to it, and what another branch chose before is used up', () => {
  const result = run(
    workflow([
      visit('fork', { visits: [{ chosen: ['left'] }], transitions: ['$steps.left', '$steps.right'] }),
      visit('left', { transitions: ['$steps.check'] }),
      visit('right', { visits: [{ chosen: [] }, { chosen: ['end'] }], transitions: ['$steps.check', '$steps.end'] }),
      visit('check', { visits: [{ fails: true }], on_failure: ['$steps.right'] }),
      visit('end'),
    ]),
  );
  expect(result.end.status).toBe('completed');
  expect(shown(result)).toEqual([
    'fork 1 completed',
    'left 1 completed',
    'right 1 skipped',
    'check 1 failed',
    'right 2 completed',
    'check 2 skipped',
    'end 1 completed',
  ]);
});

test('a step chosen from outside of a loop runs in each visit; one that was chosen inside only when it is chosen again', () => {
  const result = run(
    workflow([
      visit('outside', { transitions: ['$steps.always'] }),
      visit('start', { visits: [{}, { chosen: [] }], transitions: ['$steps.once'] }),
      visit('always', { reads: '$steps.start.visit' }),
      visit('once'),
      visit('back', { reads: ['$steps.always.visit', '$steps.start.visit'], visits: [{}, { chosen: [] }], transitions: ['$steps.start'] }),
    ]),
  );
  const second = shown(result).filter((text) => text.includes(' 2 '));
  expect(second.sort()).toEqual(['always 2 completed', 'back 2 completed', 'once 2 skipped', 'start 2 completed']);
});

test('a loop starts again once no step of its body is in flight, and none of them begins meanwhile', () => {
  const result = run(
    workflow([
      visit('start'),
      visit('slow', { reads: '$steps.start.visit', visits: [{ seconds: 5 }, {}] }),
      visit('after_slow', { reads: '$steps.slow.visit' }),
      visit('fast', { reads: '$steps.start.visit', visits: [{}, { chosen: [] }], transitions: ['$steps.start'] }),
    ]),
  );
  expect(shown(result)).toEqual([
    'start 1 completed',
    'slow 1 completed',
    'fast 1 completed',
    'start 2 completed',
    'slow 2 completed',
    'after_slow 1 completed',
    'fast 2 completed',
  ]);
  const back = result.events.findIndex(({ message }) => message === 'back to start, visit 2 of 6');
  expect(result.events[back - 1]).toMatchObject({ step: 'slow' });
});

test('of two back edges at once the outer one counts, and two that lead to one step open one visit', () => {
  const result = run(
    workflow([
      visit('a'),
      visit('b', { reads: '$steps.a.visit' }),
      visit('c', { reads: '$steps.b.visit', visits: [{ seconds: 1 }, { chosen: [] }], transitions: ['$steps.b'] }),
      visit('d', { reads: '$steps.b.visit', visits: [{ seconds: 1 }, { chosen: [] }], transitions: ['$steps.a'] }),
      visit('e', { reads: '$steps.b.visit', visits: [{ seconds: 1 }, { chosen: [] }], transitions: ['$steps.a'] }),
    ]),
  );
  expect(result.end.status).toBe('completed');
  expect(messages(result)).toEqual(['back to a, visit 2 of 6']);
  expect(Math.max(...result.records.map(({ visit: number }) => number))).toBe(2);
});

/** Steps that select only from earlier ones, in any order of the document, with any transitions. */
const anyWorkflow = fc.integer({ min: 1, max: 7 }).chain((count) => {
  const names = Array.from({ length: count }, (_, index) => `s${index}`);
  const some = fc.subarray(names);
  const oneVisit = fc.record({
    fails: fc.boolean(),
    chosen: some,
    seconds: fc.constantFrom(0, 0, 1, 2),
  });
  const steps = names.map((name, index) =>
    fc
      .record({
        visits: fc.array(oneVisit, { minLength: 1, maxLength: 3 }),
        reads: fc.subarray(names.slice(0, index)),
        field: fc.constantFrom('visit', 'error'),
        transitions: some,
        success: some,
        failure: some,
        max_visits: fc.integer({ min: 1, max: 4 }),
      })
      .map(({ visits, reads, field, transitions, success, failure, max_visits }) => {
        const references = (list: string[]) => list.map((other) => `$steps.${other}`);
        return visit(name, {
          visits,
          max_visits,
          transitions: references(transitions),
          on_success: references(success),
          // A failure without a transition would end the run at once.
          on_failure: references(failure.length === 0 ? names.slice(0, 1) : failure),
          reads: reads.map((other) => `$steps.${other}.${field}`),
        });
      }),
  );
  return fc.tuple(...steps).chain((list) => fc.shuffledSubarray(list, { minLength: count }));
});

test('whatever its transitions are, a run ends, its progress never falls, and restarts change nothing', () => {
  const inspect = stepTypes.inspect;
  let completed = 0;
  let loops = 0;
  fc.assert(
    fc.property(anyWorkflow, (steps) => {
      const document = workflow(steps);
      expect(workflowFaults(document, inspect)).toEqual([]);
      const result = run(document);
      if (result.end.status === 'completed') completed += 1;
      else expect(result.end.error?.code).toBe('too_many_visits');
      if (result.records.some(({ visit: number }) => number > 1)) loops += 1;
      result.events.reduce((last, { progress }) => {
        expect(progress).toBeGreaterThanOrEqual(last);
        return progress;
      }, 0);
      const decided = new Set(result.records.filter(({ finishedAt }) => finishedAt !== null).map(({ step }) => step));
      if (result.end.status === 'completed') expect(decided.size).toBe(steps.length);
      const again = run(document, true);
      expect({ end: again.end.output, error: again.end.error, events: again.events, records: again.records }).toEqual({
        end: result.end.output,
        error: result.end.error,
        events: result.events,
        records: result.records,
      });
    }),
    { numRuns: 1500 },
  );
  expect(completed).toBeGreaterThan(100);
  expect(loops).toBeGreaterThan(100);
});
