// The commit queue: one batch a turn, the next one gathers while one is in flight, and a bound that refuses.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Batch, type BatchResult, createCommitQueue } from '../../src/storage/sqlite/commit-queue.ts';

/** A queue whose batches are settled by hand: each operation returns its name. */
function openQueue(limits: Partial<{ maxBatch: number; maxPending: number; maxPendingBytes: number }> = {}) {
  const sent: Batch[] = [];
  const queue = createCommitQueue<string>({
    send: (batch) => void sent.push(batch),
    toError: (fault) => new Error(fault),
    maxBatch: 100,
    maxPending: 100,
    maxPendingBytes: 1000,
    ...limits,
  });
  const namesOf = (batch: Batch | undefined): string[] => (batch ?? []).filter((entry) => typeof entry === 'string');
  const settle = (faults: BatchResult<string>['faults'] = []): void => {
    queue.settle({ values: namesOf(sent.at(-1)), faults });
  };
  return { queue, sent, settle, namesOf, submit: (name: string, bytes = 0) => queue.submit(name, [], bytes) };
}

test('what is asked for within one turn leaves as one batch, in order', async () => {
  const { sent, settle, namesOf, submit } = openQueue();
  const results = Promise.all([submit('a'), submit('b'), submit('c')]);
  expect(sent).toHaveLength(0);
  await nextTurn();
  expect(sent.map(namesOf)).toEqual([['a', 'b', 'c']]);
  settle();
  expect(await results).toEqual(['a', 'b', 'c']);
});

test('while a batch is in flight the next one gathers, and leaves as soon as the disk is free', async () => {
  const { sent, settle, namesOf, submit } = openQueue();
  void submit('a');
  await nextTurn();
  void submit('b');
  await nextTurn();
  void submit('c');
  await nextTurn();
  expect(sent.map(namesOf)).toEqual([['a']]);
  settle();
  expect(sent.map(namesOf)).toEqual([['a'], ['b', 'c']]);
});

test('a batch has a bound, and the rest keeps its order', async () => {
  const { sent, settle, namesOf, submit } = openQueue({ maxBatch: 2 });
  for (const name of ['a', 'b', 'c', 'd', 'e']) void submit(name);
  await nextTurn();
  settle();
  settle();
  expect(sent.map(namesOf)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('an operation that is refused rejects alone', async () => {
  const { settle, submit } = openQueue();
  const results = Promise.allSettled([submit('a'), submit('b'), submit('c')]);
  await nextTurn();
  settle([{ index: 1, fault: 'no' }]);
  expect(await results).toMatchObject([
    { status: 'fulfilled', value: 'a' },
    { status: 'rejected', reason: { message: 'no' } },
    { status: 'fulfilled', value: 'c' },
  ]);
});

test.each([
  ['too many operations', { maxPending: 2 }, 0],
  ['too many bytes', { maxPendingBytes: 20 }, 10],
])('beyond %s the next one is refused until some have left', async (_what, limits, bytes) => {
  const { submit } = openQueue(limits);
  void submit('a', bytes);
  void submit('b', bytes);
  await expect(submit('c', bytes)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
  await nextTurn();
  void submit('d', bytes);
  void submit('e', bytes);
  await expect(submit('f', bytes)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a queue that has failed rejects what waits, what is in flight and what comes', async () => {
  const { queue, settle, submit } = openQueue();
  const inFlight = submit('a').catch((error: Error) => error.message);
  await nextTurn();
  const waiting = submit('b').catch((error: Error) => error.message);
  queue.fail(new Error('the disk is gone'));
  settle();
  expect(await Promise.all([inFlight, waiting])).toEqual(['the disk is gone', 'the disk is gone']);
  await expect(submit('c')).rejects.toThrow('the disk is gone');
});

test('a queue is idle once nothing waits and nothing is in flight', async () => {
  const { queue, settle, submit } = openQueue();
  await queue.idle();
  const order: string[] = [];
  void submit('a').then(() => order.push('a'));
  await nextTurn();
  void submit('b').then(() => order.push('b'));
  const idle = queue.idle().then(() => order.push('idle'));
  settle();
  settle();
  await idle;
  expect(order).toEqual(['a', 'b', 'idle']);
});
