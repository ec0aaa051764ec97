// What the storage contract is tried with: one storage, and records that are plain unless a test says otherwise.

import { randomBytes } from 'node:crypto';
import type { ProgressEvent } from '../../../src/core/run/run-event.ts';
import { formatRunId, NONCE_BYTES, runNumberAt } from '../../../src/core/run/run-id.ts';
import { DEFAULT_LIMITS, type Sink } from '../../../src/core/sink/sink.ts';
import { newSinkId } from '../../../src/ids.ts';
import type { ClaimedRun, NewRun, RunClaimLimit, StepRecord, Turn } from '../../../src/storage/run-records.ts';
import type { Storage } from '../../../src/storage/storage.ts';

/** 2026-01-01T00:00:00Z, the time at which records are made. */
export const NOW = 1_767_225_600_000;
export const LEASE_MS = 15_000;

/** Of whatever weight. */
export function upTo(limit: number): RunClaimLimit {
  return { limit, maxWeight: Number.POSITIVE_INFINITY, takesAlone: true };
}

export interface Workbench {
  storage: Storage;
  /** A sink without workflow, stored, in an app of its own unless one is given. */
  addSink(fields?: Partial<Sink>): Promise<Sink>;
  /** A run of the sink, waiting until NOW. */
  newRun(sink: Sink, fields?: Partial<Omit<NewRun, 'turn'>> & { turn?: Partial<Turn> }): NewRun;
  /** The same, stored. */
  addRun(sink: Sink, fields?: Parameters<Workbench['newRun']>[1]): Promise<NewRun>;
  /** A stored run that is claimed, its lease good until NOW + LEASE_MS. */
  addClaimedRun(sink: Sink, fields?: Parameters<Workbench['newRun']>[1]): Promise<ClaimedRun>;
  /** Ends every run that has not ended, so that a later test claims its own only. */
  endAllRuns(): Promise<void>;
}

export function createWorkbench(storage: Storage): Workbench {
  let made = 0;

  const workbench: Workbench = {
    storage,
    async addSink(fields = {}) {
      made += 1;
      const sink = newSink(`app${made}`, fields);
      await storage.changeDefinitions([{ kind: 'put_sink', sink }], NOW);
      return sink;
    },
    newRun(sink, { turn = {}, ...fields } = {}) {
      made += 1;
      const createdAt = fields.createdAt ?? NOW;
      const runId = formatRunId(runNumberAt(createdAt) + made, randomBytes(NONCE_BYTES));
      return {
        runId,
        appId: sink.appId,
        sinkId: sink.id,
        workflow: null,
        request: '{}',
        bodyKind: 'json',
        bodyCharset: 'utf-8',
        body: Buffer.from('{"n":1}'),
        blobs: [],
        inputs: '{}',
        idempotency: null,
        createdAt,
        turn: { ...waitingTurn(createdAt), ...turn },
        ...fields,
      };
    },
    async addRun(sink, fields) {
      const run = workbench.newRun(sink, fields);
      const created = await storage.createRun(run);
      if (created.kind !== 'created') throw new Error(`the run was not created: ${JSON.stringify(created)}`);
      return run;
    },
    async addClaimedRun(sink, fields) {
      const { runId } = await workbench.addRun(sink, fields);
      const claimed = await storage.claimDueRuns(NOW, NOW + LEASE_MS, upTo(1000));
      const mine = claimed.find(({ lease }) => lease.runId === runId);
      if (mine === undefined) throw new Error(`${runId} was not claimed`);
      return mine;
    },
    async endAllRuns() {
      for (const status of ['queued', 'running', 'waiting'] as const) {
        const runs = await storage.listRuns({ status, limit: 10_000 });
        await Promise.all(runs.map(({ id }) => storage.cancelRun(id, NOW)));
      }
    },
  };
  return workbench;
}

export function newSink(appId: string, fields: Partial<Sink> = {}): Sink {
  return {
    id: newSinkId(),
    appId,
    path: `/${fields.id ?? 'hook'}`,
    method: 'POST',
    workflowId: null,
    auth: { type: 'none' },
    inputs: {},
    response: { mode: 'stream' },
    limits: DEFAULT_LIMITS,
    body: 'auto',
    payload: null,
    managedBy: 'api',
    createdAt: NOW,
    updatedAt: NOW,
    ...fields,
  };
}

export function progress(seq: number, percent: number, detail: Partial<ProgressEvent> = {}): ProgressEvent {
  return { seq, progress: percent, step: null, message: null, ...detail };
}

/** What the first turn of a run brings that then waits until it was created, and so is due. */
function waitingTurn(at: number): Turn {
  return {
    status: 'waiting',
    progress: 0,
    events: [progress(1, 0)],
    lastSeq: 1,
    steps: [],
    deliveries: [],
    memory: [],
    wakeAt: at,
    output: null,
    error: null,
    at,
  };
}

/** A turn that leaves the run running, with its lease until NOW + LEASE_MS. */
export function runningTurn(fields: Partial<Turn>): Turn {
  return {
    status: 'running',
    progress: 0,
    events: [],
    lastSeq: 1,
    steps: [],
    deliveries: [],
    memory: [],
    wakeAt: NOW + LEASE_MS,
    output: null,
    error: null,
    at: NOW,
    ...fields,
  };
}

/** A turn that ends the run with its next event. */
export function completedTurn(lastSeq: number, fields: Partial<Turn> = {}): Turn {
  return { ...runningTurn({ status: 'completed', progress: 100, lastSeq, wakeAt: null, output: '{"ok":true}' }), ...fields };
}

export function step(name: string, fields: Partial<StepRecord> = {}): StepRecord {
  return {
    step: name,
    type: 'sluice/set@v1',
    visit: 1,
    status: 'completed',
    attempt: 1,
    outputs: '{"value":1}',
    chosen: null,
    error: null,
    startedAt: NOW,
    finishedAt: NOW,
    dueAt: null,
    backTo: null,
    ...fields,
  };
}
