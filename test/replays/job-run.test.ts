// One claimed job: how many replays are in flight, what is tried again, and what is recorded when it stops in the middle.

import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import { JobRun, type JobRunOptions } from '../../src/replays/job-run.ts';
import type { JobProgress } from '../../src/storage/job-records.ts';

const { logger } = createLogger('silent');
const ids = Array.from({ length: 120 }, (_, index) => `run_${String(index).padStart(3, '0')}`);

function start(replay: (runId: string) => Promise<void>, ratePerSecond = 1000) {
  const recorded: { status: string; progress: JobProgress }[] = [];
  const storage: JobRunOptions['storage'] = {
    listSelectedRuns: async (_runs, position, limit) => {
      const from = position === null ? 0 : ids.indexOf(position) + 1;
      return ids.slice(from, from + limit).map((runId) => ({ runId, bytes: 1 }));
    },
    recordJob: async (_lease, status, progress) => {
      recorded.push({ status, progress });
      return true;
    },
  };
  const progress = { position: null, replayed: 0, failed: 0, skipped: 0, lastError: null };
  const order = { action: 'replay', mode: 'live', version: 'current', ratePerSecond } as const;
  const job = {
    id: 'job_1',
    runs: { upTo: null, endedBy: 0 },
    matched: ids.length,
    createdAt: 0,
    finishedAt: null,
    status: 'running' as const,
  };
  const claimed = { lease: { id: 'job_1', epoch: 1 }, job: { ...job, ...order, ...progress } };
  const run = new JobRun(claimed, { storage, replay: ({ runId }) => replay(runId), clock: () => Math.floor(performance.now()), logger });
  return { run, recorded, ended: run.proceed() };
}

test('keeps a bounded number in flight, and tries again what the server refuses for now', async () => {
  const done: string[] = [];
  let inFlight = 0;
  let most = 0;
  let refusals = 40;
  const { ended, recorded } = start(async (runId) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    await after(40);
    inFlight -= 1;
    if (refusals > 0) {
      refusals -= 1;
      throw new AppError(refusals % 2 === 0 ? 'unavailable' : 'rate_limited', 'later');
    }
    done.push(runId);
  });
  await ended;
  expect(most).toBeLessThanOrEqual(32);
  expect([...done].sort()).toEqual(ids);
  expect(recorded.at(-1)).toMatchObject({ status: 'completed', progress: { replayed: ids.length, position: ids.at(-1) } });
});

test('records the runs before the first one that is not done, and is released, when it stops', async () => {
  const { run, ended, recorded } = start(async (runId) => {
    if (runId === ids[30]) throw new AppError('unavailable', 'for ever');
    if (runId === ids[3]) throw new AppError('conflict', 'deleted');
    if (runId === ids[4]) throw new AppError('unprocessable', 'unfit');
    if (runId === ids[5]) throw new Error('a bug');
  });
  await after(200);
  run.stop();
  await ended;
  expect(recorded).toEqual([
    {
      status: 'queued',
      progress: {
        ...{ position: ids[29], replayed: 27, failed: 2, skipped: 1 },
        lastError: { runId: ids[5], code: 'internal', message: expect.stringContaining('the log') },
      },
    },
  ]);
});

test('that is halted keeps its lease', async () => {
  const { run, ended, recorded } = start(async () => undefined, 100);
  await after(100);
  run.halt();
  await ended;
  expect(recorded.map(({ status }) => status)).toEqual(['running']);
});
