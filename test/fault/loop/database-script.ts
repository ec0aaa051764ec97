// What the database is asked to do while its file calls fail: a script that touches every table, as the batches that
// reach the writer thread. Ids, epochs and times are fixed, so that the same operations always have the same results.

import { deliveryIdOf } from '../../../src/core/delivery/delivery-id.ts';
import type { OutboundResult } from '../../../src/core/delivery/outbound.ts';
import type { Batch } from '../../../src/storage/commit-queue.ts';
import type { DefinitionChange } from '../../../src/storage/definition-store.ts';
import type { NewDelivery } from '../../../src/storage/delivery-records.ts';
import type { DeliveryStore } from '../../../src/storage/delivery-store.ts';
import type { Lease, NewRun, Turn } from '../../../src/storage/runs/run-records.ts';
import { deliveryAttempts } from '../../../src/storage/sqlite/deliveries/delivery-columns.ts';
import type { Writes } from '../../../src/storage/sqlite/operations.ts';
import { runs } from '../../../src/storage/sqlite/runs/run-columns.ts';
import { turns } from '../../../src/storage/sqlite/runs/turn-columns.ts';
import type { Stamp } from '../../../src/storage/sqlite/stamp.ts';
import type { OpenedStorage } from '../../../src/storage/storage.ts';
import { completedTurn, createWorkbench, NOW, newSink, progress, runningTurn, step, upTo } from '../../storage/contract/workbench.ts';

/** A batch for the writer, or its upkeep of once a second with a log that has grown too long. */
export type Action = Batch | 'tend';

const ORIGIN = 'https://receiver.test';
const SINK = newSink('shop', {
  id: 'snk_00000000000000000000',
  workflowId: 'flow',
  schedules: [{ name: 'hourly', cron: '0 * * * *', timeZone: 'UTC', catchUp: 'last', body: null }],
});
const RETRY = { maxRetries: 2, baseSeconds: 1, maxSeconds: 10 };
const LARGE_BODY = Buffer.alloc(9000, 'body');

const { newRun } = createWorkbench({} as OpenedStorage);

const waiting = newRun(SINK, { body: LARGE_BODY, workflow: { id: 'flow', version: 1 } });
const keyed = newRun(SINK, { idempotency: { key: 'k', fingerprint: 'f', keepMs: 1000 }, turn: completedTurn(1) });
const repeated = newRun(SINK, { idempotency: { key: 'k', fingerprint: 'f', keepMs: 1000 } });
const remembering = newRun(SINK, {
  blobs: ['ab'.repeat(32)],
  turn: { memory: [{ key: 'm', version: 0, next: 1, value: '1' }], wakeAt: NOW + 5 },
});
const cancelled = newRun(SINK, { turn: { wakeAt: NOW + 50_000 } });
const late = newRun(SINK, { turn: { ...completedTurn(1), memory: [{ key: 'm', version: 1, next: 2, value: '2' }] } });
/** Of a sink with flow control: one is in flight, one is held. */
const FLOW_SINK = newSink('shop', {
  id: 'snk_00000000000000000001',
  path: '/one',
  flow: { maxConcurrent: 1, orderingKey: null, overflow: 'latest_wins', queueLimit: 2, debounce: null },
});
const queued = { flowKey: '', turn: { status: 'queued' as const, wakeAt: null } };
const [active, superseded, held] = [newRun(FLOW_SINK, queued), newRun(FLOW_SINK, queued), newRun(FLOW_SINK, queued)];
const afterwards = newRun(SINK, { turn: completedTurn(1) });

const delivery: NewDelivery = {
  id: deliveryIdOf(waiting.runId, 0),
  step: 's0',
  isAwaited: true,
  origin: ORIGIN,
  message: {
    transport: 'http',
    method: 'POST',
    url: `${ORIGIN}/hook`,
    headers: {},
    body: [new TextEncoder().encode('{}')],
    timeoutMs: 2000,
    redirects: 'refuse',
    succeeds: '2xx',
    signingSecret: null,
  },
  retry: RETRY,
  overflow: null,
  isLeased: false,
  isRecorded: false,
};

const OWNER = 1;
const at = (now: number): Stamp => ({ owner: OWNER, now });

function call<Name extends keyof Writes>(name: Name, ...args: Parameters<Writes[Name]>): Batch {
  return [name, args];
}

function create(run: NewRun): Batch {
  return ['createRun', runs.pack({ run, turn: run.turn, stamp: at(NOW) })];
}

function advance(lease: Lease, turn: Partial<Turn>): Batch {
  return ['advanceRun', [lease, turns.pack({ turn: runningTurn(turn), stamp: at(NOW) })]];
}

function attempt(epoch: number, number: number, status: number, waitingRun: Turn | null): Batch {
  const body = new TextEncoder().encode('answer');
  const result: OutboundResult = { kind: 'response', status, reason: '', url: ORIGIN, headers: {}, body, isTruncated: false };
  const next: Parameters<DeliveryStore['recordAttempt']>[2] =
    status === 200 ? { status: 'delivered', dueAt: null } : { status: 'queued', dueAt: NOW + 1000 };
  const packed = deliveryAttempts.pack({ attempt: number, startedAt: NOW, durationMs: 7, result });
  const lease = { runId: waiting.runId, epoch: 2, turns: 2 };
  const run = waitingRun === null ? null : { lease, turn: turns.pack({ turn: waitingRun, stamp: at(NOW) }) };
  return call('recordAttempt', at(NOW), { id: delivery.id, epoch }, packed, next, run);
}

const claim = (now: number): Batch => call('claimDeliveries', at(now), [{ origin: ORIGIN, limit: 10, maxBytes: Number.POSITIVE_INFINITY }]);

const rejection = {
  position: null,
  sinkId: SINK.id,
  appId: SINK.appId,
  method: 'POST',
  path: '/hook',
  status: 401,
  code: 'unauthorized',
  reason: 'missing_token',
  message: 'a token is required',
  clientIp: '127.0.0.1',
  folded: null,
  count: 3,
  firstAt: NOW,
  lastAt: NOW,
} as const;

const edit = (version: number, changes: DefinitionChange[]): Batch =>
  call('changeDefinitions', { id: `edit ${version}`, version, changes, at: NOW });

const define = edit(0, [
  { kind: 'put_app', app: { id: SINK.appId, name: 'Shop' }, managedBy: 'api' },
  { kind: 'put_workflow', appId: SINK.appId, workflowId: 'flow', document: '{"steps":[]}', managedBy: 'api' },
  { kind: 'put_sink', sink: SINK },
  { kind: 'put_sink', sink: FLOW_SINK },
]);

/** Stored before the script begins. */
export const DEFINITIONS: Batch = define;

const move = call('moveSchedule', { sinkId: SINK.id, name: 'hourly', from: NOW, to: NOW + 9, lastAt: NOW + 9 });

export const SCRIPT: readonly Action[] = [
  [...edit(1, [{ kind: 'put_sink', sink: { ...SINK, path: '/new' } }]), ...create(waiting), ...create(keyed)],
  // The second operation is refused as a conflict, and the others are stored without it.
  [...create(repeated), ...edit(2, [{ kind: 'delete_app', appId: SINK.appId }]), ...create(remembering)],
  call('claimDueRuns', at(NOW), upTo(10)),
  advance(
    { runId: waiting.runId, epoch: 2, turns: 1 },
    {
      status: 'waiting',
      wakeAt: null,
      events: [progress(2, 50)],
      lastSeq: 2,
      steps: [step('s0', { status: 'waiting', outputs: null, finishedAt: null })],
      deliveries: [delivery],
    },
  ),
  'tend',
  [...claim(NOW), ...attempt(2, 1, 500, null), ...create(cancelled), ...call('readMemory', SINK.id, ['m'])],
  call('storeReply', at(NOW + 1), { runId: waiting.runId, replyId: 'reply_0_1', choice: 'approve', body: '{}' }),
  [...call('cancelRun', at(NOW + 1), cancelled.runId), ...call('recordRejections', [rejection]), ...claim(NOW + 2000), ...move],
  attempt(3, 2, 200, completedTurn(3, { steps: [step('s0')] })),
  [...call('recordServerTime', NOW + 3000, [{ at: NOW, aheadMs: 5 }]), ...create(late), ...call('recoverRuns', at(NOW + 3000), OWNER)],
  [...create(active), ...create(superseded), ...create(held)],
  [...call('cancelRun', at(NOW + 3000), active.runId), ...edit(2, [{ kind: 'put_sink', sink: { ...FLOW_SINK, flow: undefined } }])],
  call('pruneRuns', at(NOW + 4000), { before: NOW + 1, maxBytes: null, limit: 1 }),
];

export const FIRST_START: readonly Action[] = [[...define, ...create(keyed)]];

/** Must succeed once the fault is over. */
export const AFTERWARDS: Batch = [...define, ...create(afterwards), ...call('ping')];
