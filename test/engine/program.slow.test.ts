// The engine drives programs that are no graphs of steps: here a workflow that is written as a generator function.

import { expect, test } from 'vitest';
import type { RequestHead } from '../../src/core/run/request.ts';
import type { RunEvent } from '../../src/core/run/run-event.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createRunFeed } from '../../src/engine/run-feed.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { createWorkbench } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { clocksOf, openDatabase } from '../support/open-database.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startBareEngine } from './bare-engine.ts';
import { type Code, type CodeVersion, codePrograms } from './code-program.ts';
import { createReceiver } from './receiver.ts';
import { handClock } from './run-support.ts';

const HOUR = 3_600_000;

/** Asks, waits an hour, and returns the answer: three turns. */
const approval: Code = function* ({ item }) {
  const { text } = yield { name: 'ask', kind: 'deliver', body: { item } };
  yield { name: 'pause', kind: 'wait', ms: HOUR };
  return { item, answer: text };
};

const broken: Code = function* () {
  const { text } = yield { name: 'ask', kind: 'deliver', body: {} };
  throw new Error(`cannot work with ${text}`);
};

const versionOf = (code: Code): CodeVersion => ({
  id: 'code',
  version: 1,
  inputs: [{ name: 'item', type: 'WorkflowParameter', kinds: ['*'], defaultValue: null }],
  code,
});

/** A server's life on a data directory: `stop` ends it, and another one can start there. */
async function startLife(directory: string, code: Code, clock: () => number) {
  const { storage, node } = await openDatabase(directory, clocksOf(clock));
  onTestEnd(() => storage.close());
  const receiver = createReceiver();
  const feed = createRunFeed();
  const createPrograms = () => codePrograms([versionOf(code)]);
  const { engine, logs } = await startBareEngine({ storage, node, createPrograms, feed, send: receiver.send });
  const stop = async (): Promise<void> => {
    await engine.drain(0);
    await storage.close();
  };
  const ends = (runId: string) => until(`${runId} to end`, async () => ((await storage.readEvents(runId, 0))?.ended ? true : null));
  return { storage, node, engine, receiver, feed, logs, stop, ends };
}

type Life = OpenedStorage & { engine: Engine<CodeVersion> };

async function dispatchTo({ engine, ...opened }: Life, code: Code): Promise<string> {
  const { appId, id: sinkId } = await createWorkbench(opened).addSink();
  const received = { content_type: null, files: [], client_ip: '', received_at: 0 };
  const head: RequestHead = { method: 'POST', path: '/', params: {}, query: {}, headers: {}, ...received };
  const { runId } = await engine.dispatch({
    appId,
    sinkId,
    workflow: versionOf(code),
    workflowReference: { id: 'code', version: 1 },
    head,
    body: { kind: 'json', bytes: Buffer.from('{"item":"bolt"}'), charset: 'utf-8' },
    request: { ...head, body: { item: 'bolt' } },
    inputMapping: {},
    flow: null,
    idempotency: null,
  });
  return runId;
}

test('a program in code advances in three turns, and the last one follows a restart', async () => {
  const directory = tempDir();
  const { clock, advance } = handClock();
  const first = await startLife(directory, approval, clock);
  const runId = await dispatchTo(first, approval);
  const seen: RunEvent[] = [];
  first.feed.watch(runId, (events) => seen.push(...events));
  const message = await first.receiver.message(1);
  expect(message).toMatchObject({ body: { item: 'bolt' }, idempotencyKey: `${runId}:ask` });
  message.answer(200, 'granted');
  await until('the second turn', () => seen.length > 0);
  expect(seen).toEqual([{ seq: 2, progress: 10, step: 'ask', message: null }]);
  expect(await first.storage.getRun(runId)).toMatchObject({ status: 'waiting', progress: 10 });
  await first.stop();

  advance(HOUR);
  const second = await startLife(directory, approval, clock);
  await second.ends(runId);
  const run = await second.storage.getRun(runId);
  expect(run).toMatchObject({ status: 'completed', progress: 100, output: '{"item":"bolt","answer":"granted"}' });
  expect(run?.steps.map(({ step, type, status, outputs }) => ({ step, type, status, outputs }))).toEqual([
    { step: 'ask', type: 'code/deliver', status: 'completed', outputs: '{"status":200,"text":"granted"}' },
    { step: 'pause', type: 'code/wait', status: 'completed', outputs: 'null' },
  ]);
  const { events = [] } = (await second.storage.readEvents(runId, 0)) ?? {};
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(events.at(-1)).toMatchObject({ outcome: { status: 'completed' } });
  expect(second.receiver.received).toEqual([]);
});

test('a program in code that was stopped while it waited for a delivery gets the result of the repeated one', async () => {
  const directory = tempDir();
  const { clock, advance } = handClock();
  const first = await startLife(directory, approval, clock);
  const runId = await dispatchTo(first, approval);
  await first.receiver.message(1);
  await first.stop();

  const second = await startLife(directory, approval, clock);
  const repeated = await second.receiver.message(1);
  expect(repeated.idempotencyKey).toBe(`${runId}:ask`);
  repeated.answer(200, 'late');
  await until('the pause to begin', async () => (await second.storage.getRun(runId))?.steps.some(({ step }) => step === 'pause'));
  advance(HOUR);
  await second.ends(runId);
  expect((await second.storage.getRun(runId))?.output).toBe('{"item":"bolt","answer":"late"}');
});

test('an error of a program in code fails its run as internal, and only the log says why', async () => {
  const life = await startLife(tempDir(), broken, Date.now);
  const { storage, receiver, logs, ends } = life;
  const runId = await dispatchTo(life, broken);
  (await receiver.message(1)).answer(200, 'this');
  await ends(runId);
  expect(await storage.getRun(runId)).toMatchObject({ status: 'failed', error: { code: 'internal' }, output: null });
  expect(JSON.stringify((await storage.readEvents(runId, 0))?.events)).not.toContain('cannot work');
  expect(logs.filter((line) => line.includes('cannot work with this'))).toHaveLength(1);
});

test('a version of code that is gone fails its run', async () => {
  const directory = tempDir();
  const { clock } = handClock();
  const first = await startLife(directory, approval, clock);
  const runId = await dispatchTo(first, approval);
  await first.receiver.message(1);
  await first.stop();
  const { storage, node } = await openDatabase(directory, clocksOf(clock));
  onTestEnd(() => storage.close());
  await startBareEngine({ storage, node, createPrograms: () => codePrograms([]), send: createReceiver(200).send });
  await until('the run to end', async () => (await storage.getRun(runId))?.status === 'failed');
  expect(await storage.getRun(runId)).toMatchObject({ error: { code: 'workflow_missing' } });
});
