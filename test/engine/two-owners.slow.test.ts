// Two engines on one database: what one does, the other sees; and when one dies, the other goes on with its runs.

import { expect, test } from 'vitest';
import { machineClocks } from '../../src/clock.ts';
import type { Request } from '../../src/core/run/request.ts';
import type { RunEvent } from '../../src/core/run/run-event.ts';
import { createCatalog } from '../../src/definitions/catalog.ts';
import { followDefinitions } from '../../src/definitions/follow-definitions.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createRunFeed } from '../../src/engine/run-feed.ts';
import { createRunWaiter } from '../../src/http/streams/run-waiter.ts';
import { createLogger } from '../../src/logger.ts';
import { openSqliteDatabase } from '../../src/storage/sqlite/sqlite-storage.ts';
import type { OpenedStorage, Storage } from '../../src/storage/storage.ts';
import { createWorkbench } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startBareEngine } from './bare-engine.ts';
import { type Code, type CodeVersion, codePrograms } from './code-program.ts';
import { createReceiver } from './receiver.ts';

const { logger } = createLogger('silent');

const asking: Code = function* () {
  const { text } = yield { name: 'ask', kind: 'deliver', body: {} };
  return text;
};
const pausing: Code = function* () {
  yield { name: 'pause', kind: 'wait', ms: 1500 };
  return 'rested';
};
const deciding: Code = function* () {
  const { choice } = yield { name: 'decide', kind: 'reply', id: 'reply_0_1', ms: 60_000 };
  return choice;
};
const versions = [asking, pausing, deciding].map((code, index): CodeVersion => ({ id: `code-${index}`, version: 1, inputs: [], code })) as [
  CodeVersion,
  CodeVersion,
  CodeVersion,
];
const [ASKING, PAUSING, DECIDING] = versions;

interface Node extends OpenedStorage {
  engine: Engine<CodeVersion>;
  receiver: ReturnType<typeof createReceiver>;
  feed: ReturnType<typeof createRunFeed>;
  /** Ends as a process does that is killed: nothing is released, and nothing that it began is stored or sent any more. */
  kill(): Promise<void>;
}

async function startNodes(): Promise<[Node, Node]> {
  const options = { directory: tempDir(), memory: plentyOfMemory().commits, clocks: machineClocks, logger, onFatal: () => undefined };
  const database = await openSqliteDatabase(options);
  onTestEnd(() => database.close());
  const start = async (): Promise<Node> => {
    const { storage, node } = await database.openStorage();
    const feed = createRunFeed();
    const receiver = createReceiver();
    const { engine } = await startBareEngine({ storage, node, feed, createPrograms: () => codePrograms(versions), send: receiver.send });
    return { storage, node, engine, receiver, feed, kill: () => storage.close() };
  };
  return [await start(), await start()];
}

async function startRun({ engine, ...opened }: Node, workflow: CodeVersion): Promise<string> {
  const { appId, id: sinkId } = await createWorkbench(opened).addSink();
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
    appId,
    sinkId,
    workflow,
    workflowReference: { id: workflow.id, version: 1 },
    head,
    body: { kind: 'json', bytes: Buffer.from('{}'), charset: 'utf-8' },
    request: { ...head, body: {} } as Request,
    inputMapping: {},
    flow: null,
    idempotency: null,
  });
  return runId;
}

const isCompleted = async (storage: Storage, runId: string): Promise<boolean> => (await storage.getRun(runId))?.status === 'completed';

test('a caller who waits at one node learns of the end of a run of the other', async () => {
  const [one, other] = await startNodes();
  const runId = await startRun(one, ASKING);
  const seen: RunEvent[][] = [];
  other.feed.watch(runId, (events) => seen.push([...events]));
  const reads = {
    outcome: async () => ({ value: (await other.storage.getOutcome(runId)) as never, reservedBytes: 0 }),
    release: () => undefined,
  };
  const waiting = createRunWaiter(reads, other.feed)({ runId, until: 'end', waitMs: 60_000, gone: new AbortController().signal });
  (await one.receiver.message(1)).answer(200, 'yes');
  expect((await waiting)?.value).toMatchObject({ status: 'completed', output: '"yes"' });
  expect(seen.flat(), 'reminders bring no events').toEqual([]);
});

test('a run that waits for a time is taken up by an idle node when its own has died', async () => {
  const [one, other] = await startNodes();
  const runId = await startRun(one, PAUSING);
  await one.kill();
  await until('the other node to go on with the run', () => isCompleted(other.storage, runId));
});

test('a reply to another node wakes the run, and of two at the same moment one counts', async () => {
  const [one, other] = await startNodes();
  const runId = await startRun(one, DECIDING);
  const reply = (node: Node, choice: string) => node.engine.reply({ runId, replyId: 'reply_0_1', choice, body: null });
  const [mine, theirs] = await Promise.all([reply(one, 'approve'), reply(other, 'reject')]);
  const choice = mine.kind === 'stored' ? 'approve' : 'reject';
  expect([mine, theirs]).toContainEqual({ kind: 'stored' });
  expect([mine, theirs]).toContainEqual({ kind: 'taken', choice });
  await until('the run to end', () => isCompleted(one.storage, runId));
  expect((await other.storage.getRun(runId))?.output).toBe(`"${choice}"`);
});

test('a reply to a node that lives on wakes a run whose own node has died', async () => {
  const [one, other] = await startNodes();
  const runId = await startRun(one, DECIDING);
  await one.kill();
  expect(await other.engine.reply({ runId, replyId: 'reply_0_1', choice: 'approve', body: null })).toEqual({ kind: 'stored' });
  await until('the run to end', () => isCompleted(other.storage, runId));
});

test('a message that a dead node was sending is sent by the other under the same key, and its run goes on there', async () => {
  const [one, other] = await startNodes();
  const runId = await startRun(one, ASKING);
  const first = await one.receiver.message(1);
  await one.kill();
  const second = await other.receiver.message(1);
  expect(second.idempotencyKey).toBe(first.idempotencyKey);
  first.answer(200, 'too late');
  second.answer(200, 'in time');
  await until('the run to end', () => isCompleted(other.storage, runId));
  expect((await other.storage.getRun(runId))?.output).toBe('"in time"');
  expect((await other.storage.readEvents(runId, 0))?.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('definitions that one node changes are those of the other soon after', async () => {
  const [one, other] = await startNodes();
  const catalog = await createCatalog(other.storage);
  onTestEnd(followDefinitions({ storage: other.storage, node: other.node, catalog, logger }));
  const sink = await createWorkbench(one).addSink();
  await until('the sink to be known', () => catalog.findSink(sink.id) !== undefined);
});
