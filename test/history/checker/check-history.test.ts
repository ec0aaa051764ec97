// The checker passes every history of a server that is right by construction.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperationName } from '../history.ts';
import { SINKS } from '../load/workload.ts';
import { checkHistory } from './check-history.ts';
import { rightHistory } from './small-history.ts';
import { type Fate, SmallServer, type Span } from './small-server.ts';

interface Command extends Span {
  name: OperationName | 'end' | 'attempt';
  sink: string;
  mode: 'stream' | 'wait' | 'async';
  /** Few, so that requests meet. Null: no key. */
  key: number | null;
  isOther: boolean;
  place: number;
  passMs: number;
  isFailure: boolean;
}

const NAMES: Command['name'][] = [
  ...(['trigger', 'trigger', 'trigger', 'events', 'lookup', 'list', 'cancel', 'replay', 'readDelivery', 'retry', 'edit'] as const),
  ...(['readWorkflow', 'end', 'attempt', 'attempt'] as const),
];

const command: fc.Arbitrary<Command> = fc.record({
  name: fc.constantFrom(...NAMES),
  sink: fc.constantFrom(...SINKS),
  mode: fc.constantFrom('stream', 'wait', 'async'),
  key: fc.option(fc.nat(2)),
  isOther: fc.boolean(),
  place: fc.nat(100),
  passMs: fc.nat(700),
  isFailure: fc.boolean(),
  fate: fc.constantFrom<Fate>('told', 'told', 'told', 'lost', 'never', 'refused'),
  before: fc.nat(200),
  after: fc.nat(200),
});

function perform(server: SmallServer, step: Command, index: number): void {
  const { name, sink, mode, key, isOther, place, passMs, isFailure } = step;
  const pick = <Item>(items: Item[], then: (item: Item) => void): void => {
    if (items.length > 0) then(items[place % items.length] as Item);
  };
  server.pass(passMs);
  const marker = key === null || isOther ? `m${index}` : `m-${sink}-${key}`;
  if (name === 'trigger') server.trigger({ sink, mode, key: key === null ? null : `k${key}`, marker, after: null }, step);
  else if (name === 'list') server.list(1 + place, step);
  else if (name === 'edit') server.edit(sink, `edition-${index}`, [null, true, false][place % 3] ?? null, step);
  else if (name === 'readWorkflow') server.readWorkflow(sink, step);
  else if (name === 'attempt') pick(server.deliveries, (delivery) => server.attempt(delivery, isFailure ? 503 : 200));
  else if (name === 'retry') pick(server.deliveries, (delivery) => server.retry(delivery, isOther, step));
  else if (name === 'readDelivery') pick(server.deliveries, (delivery) => server.readDelivery(delivery, step));
  else if (name === 'events') pick(server.runs, (run) => server.events(run, place % 4, step));
  else if (name === 'end') pick(server.runs, (run) => run.sink === 'slow' && server.end(run));
  else if (name === 'replay') pick(server.runs, (run) => server.replay(run, step));
  else if (name === 'cancel') pick(server.runs, (run) => server.cancel(run, step));
  else if (name === 'lookup') pick(server.runs, (run) => server.lookup(run, step));
}

test('a history of a server that does one thing at a time has no violation', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (steps) => {
      const server = new SmallServer();
      for (const [index, step] of steps.entries()) perform(server, step, index);
      const { history, state } = server.finish();
      expect(checkHistory(history, state)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('the history that the faults are put into is right, and has every operation', () => {
  const { history, state } = rightHistory();
  expect(checkHistory(history, state)).toEqual([]);
  expect(new Set(history.entries.map(({ operation }) => operation)).size).toBe(10);
});
