// Each fault of runs, keys, streams and step memory that is put into a right history is found.

import { expect, test } from 'vitest';
import type { FinalRun } from '../history.ts';
import { checkHistory } from './check-history.ts';
import { type Fault, makeCase, ok } from './small-history.ts';

const FAULTS: Fault[] = [
  ['acknowledged run', 'an acknowledged run is missing', ({ state, run }) => state.runs.splice(state.runs.indexOf(run('slow')), 1)],
  ['acknowledged run', 'a run has the request of another one', ({ run }) => Object.assign(run('slow'), { marker: 'other' })],
  [
    'acknowledged run',
    'a replayed run is missing',
    ({ state }) =>
      state.runs.splice(
        state.runs.findLastIndex((run) => run.marker === 'streamed'),
        1,
      ),
  ],
  [
    'one run a key',
    'two clients are told two runs of one key',
    (found) => {
      const copy = { ...found.run('streamed'), runId: 'run_900001' };
      found.state.runs.push(copy);
      Object.assign(found.last('trigger', 'streamed').outcome, ok({ runId: copy.runId, run: null, events: [], ending: 'whole' }));
    },
  ],
  [
    'one run a request',
    'two clients are told two runs of one request',
    (found) => {
      const copy = { ...found.run('streamed'), runId: 'run_900001' };
      found.state.runs.push(copy);
      Object.assign(found.last('trigger', 'streamed').outcome, ok({ runId: copy.runId, run: null, events: [], ending: 'whole' }));
    },
  ],
  [
    'one run a key',
    'another request under the key of a run is a run',
    (found) => {
      found.state.runs.push({ ...found.run('streamed'), runId: 'run_900001', marker: 'other body' });
      Object.assign(found.last('trigger', 'other body'), { outcome: ok({ runId: 'run_900001', run: null, events: [], ending: 'whole' }) });
    },
  ],
  [
    'nothing left behind',
    'a refused request is a run',
    ({ state, run }) => state.runs.push({ ...run('lost'), runId: 'run_900001', marker: 'refused' }),
  ],
  [
    'nothing left behind',
    'an unanswered request is two runs',
    ({ state, run }) => state.runs.push({ ...run('lost'), runId: 'run_900001' }),
  ],
  [
    'nothing left behind',
    'an acknowledged request is two runs',
    ({ state, run }) => state.runs.push({ ...run('slow'), runId: 'run_900001' }),
  ],
  [
    'nothing left behind',
    'nobody asked for a run',
    ({ state, run }) => state.runs.push({ ...run('slow'), runId: 'run_900001', marker: 'x' }),
  ],
  [
    'one run a replay',
    'a replay is told the run that it replays',
    (found) => {
      Object.assign(found.last('replay'), { outcome: ok({ runId: found.run('streamed').runId }) });
    },
  ],
  [
    'refused keys',
    'a new key is refused as that of another request',
    (found) => {
      found.add(
        'trigger',
        { sink: 'pure', mode: 'async', key: 'new', marker: 'new', after: null },
        { kind: 'refused', status: 422, message: '' },
      );
    },
  ],
  ['ends once', 'a run has not ended', ({ run }) => Object.assign(run('slow'), { status: 'waiting' })],
  ['ends once', 'a run ends twice', ({ run }) => run('slow').events.push({ seq: 3, text: run('slow').events[1]?.text as string })],
  ['ends once', 'the events have a gap', ({ run }) => Object.assign(run('slow').events[1] as object, { seq: 3 })],
  ['ends once', 'the stream tells another end than the run', ({ run }) => Object.assign(run('cancelled'), { status: 'completed' })],
  [
    'same events',
    'a replay of events tells another event',
    ({ last }) => {
      Object.assign(last('events').outcome, ok({ events: [{ seq: 2, text: '{"type":"progress"}' }], ending: 'whole' }));
    },
  ],
  [
    'same events',
    'a replay of events leaves one out',
    ({ run, add }) => {
      add('events', { runId: run('slow').runId, after: 0 }, ok({ events: run('slow').events.slice(1), ending: 'whole' }));
    },
  ],
  [
    'same events',
    'a stream tells an event twice',
    ({ run, add }) => {
      const [first] = run('slow').events as [FinalRun['events'][number]];
      add('events', { runId: run('slow').runId, after: 0 }, ok({ events: [first, first], ending: 'whole' }));
    },
  ],
  ['same events', 'an event was told and not stored', ({ run }) => run('streamed').events.pop()],
  [
    'whole streams',
    'a stream ends before its run',
    ({ run, add }) => {
      add('events', { runId: run('slow').runId, after: 0 }, ok({ events: run('slow').events.slice(0, 1), ending: 'whole' }));
    },
  ],
  [
    'agreeing answers',
    'a lookup tells another end',
    ({ last }) => Object.assign(last('lookup').outcome, ok({ runId: last('lookup').asked.runId, status: 'failed', output: null })),
  ],
  [
    'agreeing answers',
    'a lookup tells another output',
    ({ run, add }) => {
      add('lookup', { runId: run('slow').runId }, ok({ runId: run('slow').runId, status: 'completed', output: {} }));
    },
  ],
  [
    'agreeing answers',
    'a run that had ended waits again',
    ({ run, add }) => {
      add('lookup', { runId: run('slow').runId }, ok({ runId: run('slow').runId, status: 'waiting', output: null }));
    },
  ],
  ['agreeing answers', 'a run that was cancelled completes', ({ run }) => Object.assign(run('cancelled'), { status: 'completed' })],
  ['cancelled runs', 'a run is cancelled after its end', ({ run, add }) => add('cancel', { runId: run('slow').runId }, ok(null))],
  ['cancelled runs', 'a run is cancelled twice', ({ run, add }) => add('cancel', { runId: run('cancelled').runId }, ok(null))],
  ['cancelled runs', 'nobody cancelled a run', ({ run }) => Object.assign(run('slow'), { status: 'cancelled' })],
  [
    'complete lists',
    'a list leaves a run out',
    ({ last }) => {
      const { outcome } = last('list');
      if (outcome.kind === 'ok') outcome.told.runs.splice(3, 1);
    },
  ],
  [
    'documented refusals',
    'a known run is not found',
    ({ run, add }) => {
      add('lookup', { runId: run('slow').runId }, { kind: 'refused', status: 404, message: 'there is no such run' });
    },
  ],
  ['documented refusals', 'the server has a fault', ({ add }) => add('list', { limit: 1 }, { kind: 'refused', status: 500, message: '' })],
  ['linear memory', 'two runs saw the same value', ({ run }) => Object.assign(run('three').output as object, { previous: 'one' })],
  ['linear memory', 'a run saw a value that nobody stored', ({ run }) => Object.assign(run('two').output as object, { previous: 'x' })],
  ['linear memory', 'the values go round in a circle', ({ run }) => Object.assign(run('one').output as object, { previous: 'three' })],
  [
    'linear memory',
    'a run saw the value of a later one',
    ({ run }) => {
      Object.assign(run('one').output as object, { previous: 'three' });
      Object.assign(run('two').output as object, { previous: false });
      Object.assign(run('three').output as object, { previous: 'two' });
    },
  ],
  ['cooldowns', 'two runs pass within the cooldown', ({ run }) => Object.assign(run('limited').output as object, { passed: 'limited' })],
];

test.each(FAULTS)('%s: %s', (rule, _fault, spoil) => {
  const found = makeCase();
  spoil(found);
  expect(checkHistory(found.history, found.state).map((violation) => violation.rule)).toContain(rule);
});
