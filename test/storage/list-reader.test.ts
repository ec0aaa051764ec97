// Lists are read in a thread of their own, which starts with the first of them: no lookup waits for a list.

import { expect, test } from 'vitest';
import { ThreadHandle } from '../../src/storage/sqlite/thread-handle.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createWorkbench, NOW, type Workbench } from './contract/workbench.ts';
import { openSqlite } from './open-sqlite.ts';

/** More than one batch of a thread, so that a lookup behind them would come last. */
const LISTS = 600;
const RUNS = 25;

/** Counts the threads that start until the end of the test. A process announces a thread in its next tick. */
function countThreads(): () => Promise<number> {
  let started = 0;
  const count = (): void => {
    started += 1;
  };
  process.on('worker', count);
  onTestEnd(() => void process.off('worker', count));
  return async () => {
    await new Promise((resolve) => process.nextTick(resolve));
    return started;
  };
}

async function openWorkbench(): Promise<Workbench> {
  const workbench = createWorkbench(await openSqlite(tempDir(), () => NOW));
  onTestEnd(() => workbench.storage.close());
  return workbench;
}

test('a lookup that is asked after many lists is answered before them', async () => {
  const { storage, addSink, addRun } = await openWorkbench();
  const sink = await addSink();
  const runs = await Promise.all(Array.from({ length: RUNS }, () => addRun(sink)));
  const runId = runs[0]?.runId as string;
  const lookups: [string, (of: Storage) => Promise<unknown>][] = [
    ['getOutcome', (of) => of.getOutcome(runId)],
    ['findStream', (of) => of.findStream(runId)],
    ['readEvents', (of) => of.readEvents(runId, 0)],
    ['listDeliveries of a run', (of) => of.listDeliveries({ runId, limit: 10 })],
  ];
  // The thread is started, so that its start takes no part in the race.
  await storage.listRuns({ limit: 1 });
  for (const [name, lookUp] of lookups) {
    let unanswered = LISTS;
    const lists = Array.from({ length: LISTS }, () => storage.listRuns({ limit: RUNS }).then(() => (unanswered -= 1)));
    await lookUp(storage);
    expect(unanswered, name).toBe(LISTS);
    await Promise.all(lists);
  }
});

test('the thread of lists starts with the first list, and not once the storage is closed', async () => {
  const started = countThreads();
  const { storage, addSink, addRun } = await openWorkbench();
  const { runId } = await addRun(await addSink());
  await storage.getRun(runId);
  await storage.listBlockedClients();
  expect(await started()).toBe(2);
  const lists = Promise.all([storage.listRuns({ limit: 1 }), storage.listJobs({ limit: 1 })]);
  expect(await started()).toBe(3);
  // Earlier calls are settled first.
  await storage.close();
  expect(await lists).toMatchObject([[{ id: runId }], []]);
  await expect(storage.listRuns({ limit: 1 })).rejects.toThrow('closed');

  const { storage: unasked } = await openWorkbench();
  await unasked.close();
  await expect(unasked.listRuns({ limit: 1 })).rejects.toThrow('closed');
  expect(await started()).toBe(5);
});

test('a reader that cannot open the database says so, and ends without a fault of the server', async () => {
  const fatal: Error[] = [];
  const options = { directory: tempDir(), migrationsFolder: '', acceptLoss: false, role: 'list-reader' as const };
  const thread = new ThreadHandle(options, plentyOfMemory().commits, (error) => void fatal.push(error));
  const opening = thread.open();
  const list = thread.queue.submit('listRuns', [{ limit: 1 }], 0);
  await expect(opening).rejects.toThrow('cannot open the database');
  thread.queue.fail(new Error('refused'));
  await expect(list).rejects.toThrow('refused');
  await thread.close();
  expect(fatal).toEqual([]);
});
