// Runs: ids, readiness of steps, progress, and the events that callers read.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pendingStep, progressOf, readiness, type StepState } from '../../src/core/run/run.ts';
import { eventData, isEnd, type RunOutcome } from '../../src/core/run/run-event.ts';
import { formatRunId, joinRunId, NONCE_BYTES, parseRunId, runNumberAt } from '../../src/core/run/run-id.ts';
import { createRunIds } from '../../src/ids.ts';

describe('run ids', () => {
  test('are unique and grow, thousands in one millisecond and when the clock goes back', () => {
    const start = Date.UTC(2026, 0, 1);
    let now = start;
    const newRunId = createRunIds(() => now, 0);
    const ids: string[] = [];
    for (const clock of [start, start, start - 60_000, start + 5, start + 1]) {
      now = clock;
      for (let count = 0; count < 5000; count += 1) ids.push(newRunId());
    }
    expect(new Set(ids).size).toBe(25_000);
    expect(ids).toEqual([...ids].sort());
    const numbers = ids.map((id) => parseRunId(id)?.runNumber as number);
    expect(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number))).toBe(true);
  });

  test('of two owners never have one number, in the same millisecond and when runs borrow from the next', () => {
    let now = Date.UTC(2026, 0, 1);
    const owners = [createRunIds(() => now, 0), createRunIds(() => now, 1), createRunIds(() => now, 63)];
    const numbers = new Set<number>();
    for (const ms of [0, 0, 1, 7, 3]) {
      now = Date.UTC(2026, 0, 1) + ms;
      for (let count = 0; count < 300; count += 1) for (const newRunId of owners) numbers.add(parseRunId(newRunId())?.runNumber as number);
    }
    expect(numbers.size).toBe(3 * 5 * 300);
    expect(Math.max(...numbers)).toBeLessThan(runNumberAt(now + 100));
  });

  test('cannot be guessed from one another: a hundred bits of each are random', () => {
    const newRunId = createRunIds(() => Date.UTC(2026, 0, 1), 0);
    const nonces = Array.from({ length: 1000 }, () => newRunId().slice(-20));
    expect(new Set(nonces).size).toBe(1000);
    expect(new Set(nonces.join('')).size).toBe(32);
  });

  test('any run number and random part can be read back', () => {
    const nonce = fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES });
    fc.assert(
      fc.property(fc.maxSafeNat(), nonce, (runNumber, bytes) => {
        const id = formatRunId(runNumber, bytes);
        const key = parseRunId(id);
        expect(key?.runNumber).toBe(runNumber);
        expect(key === null ? null : joinRunId(key)).toBe(id);
      }),
    );
  });

  test('order ids by time: a later millisecond is a greater order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2090, 0, 1) }),
        fc.integer({ min: 1, max: 10_000 }),
        (ms, later) => {
          expect(runNumberAt(ms + later)).toBeGreaterThan(runNumberAt(ms) + 4095);
          expect(Number.isSafeInteger(runNumberAt(ms + later))).toBe(true);
        },
      ),
    );
  });

  for (const text of [
    '',
    'run_',
    'run_xyz',
    `run_${'0'.repeat(30)}`,
    `run_${'0'.repeat(32)}`,
    `run_${'i'.repeat(31)}`,
    `RUN_${'0'.repeat(31)}`,
    `run_${'z'.repeat(31)}`,
  ])
    test(`"${text}" is no run id`, () => {
      expect(parseRunId(text)).toBeNull();
    });
});

describe('steps', () => {
  const state = (status: StepState['status'], chosen: string[] | null = null): StepState => ({ ...pendingStep(), status, chosen });
  const step = (needs: string[], chosenBy: string[] = [], gatedBy: string[] = []): any => ({ name: 'me', needs, chosenBy, gatedBy });
  const cases: [string, any, Record<string, StepState>, string][] = [
    ['needs nothing', step([]), {}, 'ready'],
    ['needs a step that is done', step(['a']), { a: state('completed') }, 'ready'],
    ['needs a step that has not begun', step(['a']), {}, 'not_yet'],
    ['needs a step that runs', step(['a']), { a: state('running') }, 'not_yet'],
    ['needs a step that waits', step(['a', 'b']), { a: state('completed'), b: state('waiting') }, 'not_yet'],
    ['needs a step that was skipped', step(['a', 'b']), { a: state('skipped') }, 'skip'],
    ['was chosen by name', step([], ['c']), { c: state('completed', ['me']) }, 'ready'],
    ['was chosen among all', step([], ['c']), { c: state('completed') }, 'ready'],
    ['was not chosen', step([], ['c']), { c: state('completed', []) }, 'skip'],
    ['may yet be chosen', step([], ['c', 'd']), { c: state('completed', []) }, 'not_yet'],
    ['was chosen by one of two', step([], ['c', 'd']), { c: state('completed', []), d: state('completed', ['me']) }, 'ready'],
    ['was chosen by none of two', step([], ['c', 'd']), { c: state('completed', ['x']), d: state('skipped') }, 'skip'],
    ['was chosen but needs more', step(['a'], ['c']), { c: state('completed', ['me']) }, 'not_yet'],
    ['was let through by its gate', step([], [], ['c']), { c: state('completed', ['me']) }, 'ready'],
    ['was let through by one of two gates', step([], [], ['c', 'd']), { c: state('completed', ['me']) }, 'not_yet'],
    ['was let through by both', step([], [], ['c', 'd']), { c: state('completed'), d: state('completed', ['me']) }, 'ready'],
    ['was held back by one of two gates', step([], [], ['c', 'd']), { d: state('completed', ['x']) }, 'skip'],
    ['has a gate that was skipped', step([], [], ['c', 'd']), { c: state('completed', ['me']), d: state('skipped') }, 'skip'],
    ['has a gate that failed', step([], [], ['c']), { c: state('failed', ['x']) }, 'skip'],
    ['was let through, and no way has come yet', step([], ['c'], ['d']), { d: state('completed', ['me']) }, 'not_yet'],
    ['was let through, and no way leads to it', step([], ['c'], ['d']), { c: state('skipped'), d: state('completed') }, 'skip'],
    ['a way leads to, and a gate holds back', step([], ['c'], ['d']), { c: state('completed'), d: state('completed', []) }, 'skip'],
    ['a way leads to, and its gate lets through', step([], ['c'], ['d']), { c: state('completed'), d: state('completed') }, 'ready'],
  ];
  for (const [what, one, states, expected] of cases) {
    test(`a step that ${what} is "${expected}"`, () => {
      const all = Object.fromEntries(['a', 'b', 'c', 'd', 'me'].map((name) => [name, states[name] ?? pendingStep()]));
      expect(readiness(one, new Map(Object.entries(all)))).toBe(expected);
    });
  }

  test('progress is whole per cent, never falls as steps are done, and leaves 100 to the end of the run', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (planned) => {
        let last = 0;
        for (let done = 0; done <= planned; done += 1) {
          const progress = progressOf(done, planned);
          expect(Number.isInteger(progress) && progress >= last && progress <= 99).toBe(true);
          last = progress;
        }
      }),
      { numRuns: 50 },
    );
    expect([0, 1, 2, 3, 4].map((done) => progressOf(done, 4))).toEqual([0, 25, 50, 75, 99]);
    expect(progressOf(0, 0)).toBe(0);
  });
});

describe('events', () => {
  test('are the JSON that the HTTP Sink document shows', () => {
    expect(eventData('run_xyz', { seq: 2, progress: 25, step: null, message: null })).toBe(
      '{"type":"progress","run_id":"run_xyz","progress":25}',
    );
    expect(eventData('run_xyz', { seq: 3, progress: 50, step: 's', message: 'm "1"' })).toBe(
      '{"type":"progress","run_id":"run_xyz","progress":50,"step":"s","message":"m \\"1\\""}',
    );
    expect(eventData('run_xyz', { seq: 4, outcome: { status: 'completed', output: '{"a":1.0}', error: null } })).toBe(
      '{"type":"complete","run_id":"run_xyz","output":{"a":1.0}}',
    );
  });

  const endings: [RunOutcome, string][] = [
    [{ status: 'completed', output: null, error: null }, 'complete'],
    [{ status: 'failed', output: null, error: { code: 'c', message: 'm', step: 's' } }, 'error'],
    [{ status: 'cancelled', output: null, error: null }, 'error'],
  ];
  for (const [outcome, type] of endings) {
    test(`a ${outcome.status} run ends with ${type}, on one line`, () => {
      const event = { seq: 5, outcome };
      const data = eventData('run_xyz', event);
      expect(JSON.parse(data)).toMatchObject({ type, run_id: 'run_xyz' });
      expect(data).not.toContain('\n');
      expect(isEnd(event)).toBe(true);
      expect(isEnd({ seq: 4, progress: 100, step: null, message: null })).toBe(false);
    });
  }
});
