// While the database is locked or the disk is full, running runs wait and go on by themselves; none is forgotten.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { Request } from '../../src/core/request.ts';
import { planWorkflow } from '../../src/core/workflow.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createRunFeed } from '../../src/engine/run-feed.ts';
import { AppError } from '../../src/errors.ts';
import { createRunIds } from '../../src/ids.ts';
import { createLogger } from '../../src/logger.ts';
import { builtinStepTypes, createStepTypes } from '../../src/steps/index.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { createWorkbench } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { createReceiver } from './receiver.ts';
import { delay, eventsOf, getRun, post, reaches, set, startRun, trigger } from './run-support.ts';
import { testSteps } from './test-steps.ts';

/** Locks the database as another process would; returns how to let go. */
function lockDatabase(dataDir: string): () => void {
  const other = new Database(join(dataDir, 'sluice.db'), { timeout: 1000 });
  onTestEnd(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  return () => void other.exec('ROLLBACK');
}

test('a run that advances while another process locks the database goes on when the lock is gone', async () => {
  const receiver = createReceiver();
  const app = await startTestApp({ stepTypes: testSteps, send: receiver.send });
  const runId = await startRun(app, { steps: [post('a'), set('b', { value: '$steps.a.status' })] });
  const message = await receiver.message(1);
  const unlock = lockDatabase(app.dataDir);
  message.answer(200);
  await until('the engine to meet the lock', () => app.logs.some((line) => line.includes('a run waits for the database')));
  expect((await getRun(app, runId)).status).toBe('running');
  unlock();
  await reaches(app, runId, 'completed');
  expect(receiver.received).toHaveLength(1);
  expect((await eventsOf(app, runId)).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
});

test('a run that is due while the database is locked is taken up when the lock is gone', async () => {
  const app = await startTestApp();
  const runId = await startRun(app, { steps: [delay('pause', 0.05)] });
  const unlock = lockDatabase(app.dataDir);
  await until('the engine to meet the lock', () => app.logs.some((line) => line.includes('due runs could not be claimed')));
  unlock();
  await reaches(app, runId, 'completed');
});

test('a run that is refused while the database is locked leaves no trace, and its caller is told to come again', async () => {
  const app = await startTestApp();
  await startRun(app, { steps: [set('a', { value: 1 })] });
  const unlock = lockDatabase(app.dataDir);
  const began = performance.now();
  const refused = await fetch(`${app.url}/shop/flow`, { method: 'POST' });
  expect(performance.now() - began).toBeLessThan(300);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(((await refused.json()) as any).error.message).toContain('locked');
  unlock();
  expect((await app.admin('GET', '/runs')).body.runs).toHaveLength(1);
  await trigger(app);
});

/** The engine on a real storage whose next `count` turns are refused. */
async function engineOnFullDisk(count: number) {
  const storage = await openSqliteStorage({ directory: tempDir(), onFatal: () => undefined });
  onTestEnd(() => storage.close());
  const logs: string[] = [];
  let refusals = count;
  const full: Storage = {
    ...storage,
    advanceRun(lease, change) {
      refusals -= 1;
      return refusals >= 0
        ? Promise.reject(new AppError('unavailable', 'the disk is full; nothing was stored'))
        : storage.advanceRun(lease, change);
    },
  };
  const clock = (): number => Date.now();
  const engine = createEngine({
    storage: full,
    stepTypes: createStepTypes([...builtinStepTypes, ...testSteps]),
    feed: createRunFeed(),
    clock,
    newRunId: createRunIds(clock),
    logger: createLogger('info', { write: (line: string) => void logs.push(line) }).logger,
  });
  onTestEnd(() => engine.drain(0));
  return { storage, engine, logs, workbench: createWorkbench(storage) };
}

test('a run whose turn the full disk refuses is not forgotten', async () => {
  const { storage, engine, logs, workbench } = await engineOnFullDisk(3);
  const sink = await workbench.addSink();
  const steps = [delay('pause', 0.01)];
  const document = { version: '1.0', inputs: [], outputs: [], steps };
  await storage.changeDefinitions(
    [{ kind: 'put_workflow', appId: sink.appId, workflowId: 'w', document: JSON.stringify(document), managedBy: 'api' }],
    Date.now(),
  );
  await engine.start();
  const head = {
    method: 'POST',
    path: '/',
    params: {},
    query: {},
    headers: {},
    content_type: null,
    files: [],
    client_ip: '',
    received_at: 0,
  };
  const { runId } = await engine.dispatch({
    appId: sink.appId,
    sinkId: sink.id,
    workflow: planWorkflow('w', 1, document),
    workflowReference: { id: 'w', version: 1 },
    head,
    body: { kind: 'empty', bytes: new Uint8Array(0), charset: 'utf-8' },
    request: { ...head, body: null } as Request,
    inputs: {},
    idempotency: null,
  });
  await until('the run to complete', async () => (await storage.getRun(runId))?.status === 'completed');
  expect(logs.filter((line) => line.includes('a run waits for the database'))).toHaveLength(3);
  expect((await storage.readEvents(runId, 0))?.events).toHaveLength(3);
});
