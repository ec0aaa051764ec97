// When storage refuses, because the database is locked, the disk is full or an id is taken: running runs wait and go on
// by themselves, and none is forgotten.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { RequestHead } from '../../src/core/run/request.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createGraphPrograms } from '../../src/engine/execution/graph-programs.ts';
import type { Programs, ProgramTools } from '../../src/engine/execution/program.ts';
import { AppError } from '../../src/errors.ts';
import { createRunIds, type NewRunId } from '../../src/ids.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { OpenedStorage, Storage } from '../../src/storage/storage.ts';
import { createWorkbench } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { openDatabase } from '../support/open-database.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startBareEngine } from './bare-engine.ts';
import { createReceiver } from './receiver.ts';
import { delay, eventsOf, getRun, post, reaches, set, startRun, trigger } from './run-support.ts';
import { testSteps } from './test-steps.ts';

/** Locks the database as another process would; returns a function that unlocks it. */
function lockDatabase(dataDir: string): () => void {
  const other = new Database(join(dataDir, 'sluice.db'), { timeout: 1000 });
  onTestEnd(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  return () => void other.exec('ROLLBACK');
}

const receiver = createReceiver();
const shared = shareApp({ stepTypes: testSteps, send: receiver.send });

test('a run that advances while another process locks the database goes on when the lock is gone', async () => {
  const app = shared();
  const runId = await startRun(app, { steps: [post('a'), set('b', { value: '$steps.a.status' })] });
  const message = await receiver.message(1);
  const unlock = lockDatabase(app.dataDir);
  message.answer(200);
  await until('the engine to meet the lock', () => app.logs.some((line) => line.includes('a run waits for the database')));
  expect((await getRun(app, runId)).status).toBe('waiting');
  unlock();
  await reaches(app, runId, 'completed');
  expect(receiver.received).toHaveLength(1);
  expect((await eventsOf(app, runId)).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
});

test('a run that is due while the database is locked is resumed when the lock is gone', async () => {
  const app = shared();
  const runId = await startRun(app, { steps: [delay('pause', 0.05)] });
  const unlock = lockDatabase(app.dataDir);
  await until('the engine to meet the lock', () => app.logs.some((line) => line.includes('due runs could not be claimed')));
  unlock();
  await reaches(app, runId, 'completed');
});

test('a run that is refused while the database is locked leaves no trace, and its caller is asked to retry', async () => {
  const app = shared();
  const before = (await app.admin('GET', '/runs')).body.runs;
  await startRun(app, { steps: [set('a', { value: 1 })] });
  const unlock = lockDatabase(app.dataDir);
  const refused = await fetch(`${app.url}/shop/flow`, { method: 'POST' });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(((await refused.json()) as any).error.message).toContain('locked');
  unlock();
  expect((await app.admin('GET', '/runs')).body.runs).toHaveLength(before.length + 1);
  await trigger(app);
});

/** An engine on a real storage whose first `refusals` turns meet a full disk. */
async function startEngine({ refusals = 0, newRunId = createRunIds(Date.now, 0) }: { refusals?: number; newRunId?: NewRunId }) {
  const { storage, node } = await openDatabase(tempDir());
  onTestEnd(() => storage.close());
  let left = refusals;
  const refusing: Storage = {
    ...storage,
    advanceRun(lease, turn) {
      left -= 1;
      if (left < 0) return storage.advanceRun(lease, turn);
      return Promise.reject(new AppError('unavailable', 'the disk is full; nothing was stored'));
    },
  };
  const stepTypes = createStepTypes(builtinStepTypes);
  const createPrograms = (tools: ProgramTools): Programs => createGraphPrograms({ ...tools, stepTypes }, storage);
  const { engine, logs } = await startBareEngine({ storage: refusing, node, createPrograms, newRunId });
  return { storage, logs, dispatch: await dispatcher({ storage, node }, engine) };
}

/** Starts a run of a workflow that waits for a moment. */
async function dispatcher(opened: OpenedStorage, engine: Engine): Promise<() => Promise<string>> {
  const { addSink, edit } = createWorkbench(opened);
  const sink = await addSink();
  const { appId } = sink;
  const document = { version: '1.0', inputs: [], outputs: [], steps: [delay('pause', 0.01)] };
  const change = { kind: 'put_workflow', appId, workflowId: 'w', document: JSON.stringify(document), managedBy: 'api' } as const;
  await edit(change);
  const received = { content_type: null, files: [], client_ip: '', received_at: 0 };
  const head: RequestHead = { method: 'POST', path: '/', params: {}, query: {}, headers: {}, ...received };
  return async () => {
    const { runId } = await engine.dispatch({
      appId,
      sinkId: sink.id,
      workflow: planWorkflow('w', 1, document),
      workflowReference: { id: 'w', version: 1 },
      head,
      body: { kind: 'empty', bytes: new Uint8Array(0), charset: 'utf-8' },
      request: { ...head, body: null },
      inputMapping: {},
      flow: null,
      idempotency: null,
    });
    return runId;
  };
}

test('a run whose turn the full disk refuses is not forgotten', async () => {
  const { storage, logs, dispatch } = await startEngine({ refusals: 3 });
  const runId = await dispatch();
  await until('the run to complete', async () => (await storage.getRun(runId))?.status === 'completed');
  expect(logs.filter((line) => line.includes('a run waits for the database'))).toHaveLength(3);
  expect((await storage.readEvents(runId, 0))?.events).toHaveLength(3);
});

test('a run whose id is taken, as after the clock was set back, gets another one', async () => {
  const ids = createRunIds(() => Date.now(), 0);
  const taken = ids();
  const offered = [taken, `${taken.slice(0, 15)}${'0'.repeat(20)}`];
  const { storage, dispatch } = await startEngine({ newRunId: () => offered.shift() ?? ids() });
  expect(await dispatch()).toBe(taken);
  const other = await dispatch();
  expect(other.slice(0, 15)).not.toBe(taken.slice(0, 15));
  for (const runId of [taken, other])
    await until(`${runId} to complete`, async () => (await storage.getRun(runId))?.status === 'completed');
});
