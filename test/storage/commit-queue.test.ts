// The commit queue: one batch a turn, the next one gathers while one is in flight, and a bound that refuses.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MemoryAccount } from '../../src/memory-budget.ts';
import { type Batch, type BatchResult, CommitQueue } from '../../src/storage/commit-queue.ts';

/** A queue whose batches are settled by hand: each operation returns its name. */
function openQueue({
  bytes = 1000,
  ...limits
}: Partial<{ maxBatch: number; maxBatchBytes: number; maxPending: number; bytes: number }> = {}) {
  const sent: Batch[] = [];
  const queue = new CommitQueue<string>({
    send: (batch) => void sent.push(batch),
    toError: (fault) => new Error(fault),
    maxBatch: 100,
    maxBatchBytes: 1000,
    maxPending: 100,
    memory: new MemoryAccount('commits', bytes),
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

test('beyond so many operations the next one is refused until some have left', async () => {
  const { submit } = openQueue({ maxPending: 2 });
  void submit('a');
  void submit('b');
  await expect(submit('c')).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
  await nextTurn();
  void submit('d');
  void submit('e');
  await expect(submit('f')).rejects.toMatchObject({ code: 'unavailable' });
});

test('beyond so many bytes the next one is refused, until some are on disk and not only on their way', async () => {
  const { submit, settle } = openQueue({ bytes: 20 });
  const first = [submit('a', 10), submit('b', 10)];
  await expect(submit('c', 10)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
  await nextTurn();
  await expect(submit('d', 10)).rejects.toMatchObject({ code: 'unavailable' });
  settle();
  await Promise.all(first);
  const next = submit('e', 20);
  await nextTurn();
  settle();
  expect(await next).toBe('e');
});

test('a batch carries so many bytes, and one operation that is larger goes alone', async () => {
  const { sent, settle, namesOf, submit } = openQueue({ maxBatchBytes: 20 });
  for (const [name, bytes] of [
    ['a', 10],
    ['b', 10],
    ['c', 10],
    ['d', 50],
    ['e', 10],
  ] as const)
    void submit(name, bytes);
  await nextTurn();
  settle();
  settle();
  settle();
  expect(sent.map(namesOf)).toEqual([['a', 'b'], ['c'], ['d'], ['e']]);
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

test('what comes of a batch after the queue has failed changes nothing', async () => {
  const { queue, sent, settle, submit } = openQueue();
  const inFlight = submit('a').catch((error: Error) => error.message);
  await nextTurn();
  const waiting = submit('b').catch((error: Error) => error.message);
  queue.fail(new Error('the disk is gone'));
  settle([{ index: 0, fault: 'the file was replaced' }]);
  expect(await Promise.all([inFlight, waiting])).toEqual(['the disk is gone', 'the disk is gone']);
  expect(sent).toHaveLength(1);
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
