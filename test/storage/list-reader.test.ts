// Lists are read in a thread of their own, which starts with the first of them: no lookup waits for a list.

import { expect, test } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createWorkbench, NOW, type Workbench } from './contract/workbench.ts';
import { openSqlite } from './open-sqlite.ts';

/** More than one batch of a thread, so that a lookup behind them would come last. */
const LISTS = 600;
const RUNS = 25;

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

test('the thread of lists starts with the first list, and a storage closes with it or without it', async () => {
  let started = 0;
  const count = (): void => {
    started += 1;
  };
  process.on('worker', count);
  onTestEnd(() => void process.off('worker', count));
  const { storage, addSink, addRun } = await openWorkbench();
  const { runId } = await addRun(await addSink());
  await storage.getRun(runId);
  await storage.listBlockedClients();
  expect(started).toBe(2);
  const lists = [storage.listRuns({ limit: 1 }), storage.listJobs({ limit: 1 })];
  // A process announces a thread in its next tick.
  await new Promise((resolve) => process.nextTick(resolve));
  expect(started).toBe(3);
  // Earlier calls are settled first.
  await storage.close();
  await expect(Promise.all(lists)).resolves.toMatchObject([[{ id: runId }], []]);
  await expect(storage.listRuns({ limit: 1 })).rejects.toThrow('closed');
});
