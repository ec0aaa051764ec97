// The workbench of the storage contract: a storage whose time is set by the test, and records that are plain unless a test
// says otherwise.

import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../../src/clock.ts';
import type { ProgressEvent } from '../../../src/core/run/run-event.ts';
import { formatRunId, NONCE_BYTES, runNumberAt } from '../../../src/core/run/run-id.ts';
import { DEFAULT_LIMITS } from '../../../src/core/sink/limits/size-limits.ts';
import type { Sink } from '../../../src/core/sink/sink.ts';
import { newSinkId } from '../../../src/ids.ts';
import type { DefinitionChange } from '../../../src/storage/definition-store.ts';
import type { ClaimedRun, Lease, NewRun, Recovery, RunClaimLimit, StepRecord, Turn } from '../../../src/storage/runs/run-records.ts';
import type { OpenedStorage, Storage, StorageNode } from '../../../src/storage/storage.ts';

/** 2026-01-01T00:00:00Z, the time at which records are made. */
export const NOW = 1_767_225_600_000;

/** A limit of runs, whatever their weight. */
export function upTo(limit: number): RunClaimLimit {
  return { limit, maxWeight: Number.POSITIVE_INFINITY, takesAlone: true };
}

/** Shared by the workbenches on one database. */
export class TestState {
  /** The time of its storages. */
  now = NOW;
  /** Records made so far. */
  made = 0;
  readonly clock: Clock = () => this.now;
}

/** One owner on a database. */
export interface Workbench {
  storage: Storage;
  node: StorageNode;
  /** Sets the time of all storages on the database, until the end of the test, and returns this one. */
  at(ms: number): Storage;
  /** Recovers the runs of this owner at a time, as if its process had died. */
  recover(ms: number): Promise<Recovery>;
  /** Edits the definitions on their current version, again if another edit is faster. Returns the new version. */
  edit(...changes: DefinitionChange[]): Promise<number>;
  /** A sink without workflow, stored, in an app of its own unless one is given. */
  addSink(fields?: Partial<Sink>): Promise<Sink>;
  /** A run of the sink, waiting until NOW. */
  newRun(sink: Sink, fields?: Partial<Omit<NewRun, 'turn'>> & { turn?: Partial<Turn> }): NewRun;
  /** The same, stored. */
  addRun(sink: Sink, fields?: Parameters<Workbench['newRun']>[1]): Promise<NewRun>;
  /** A stored run that this owner has claimed at NOW. */
  addClaimedRun(sink: Sink, fields?: Parameters<Workbench['newRun']>[1]): Promise<ClaimedRun>;
  /** Ends every run that has not ended, so that a later test claims its own only, and sets the time to NOW. */
  endAllRuns(): Promise<void>;
}

/** The owners that share the database of the contract. */
export interface Owners {
  one: () => Workbench;
  other: () => Workbench;
  /** Opens a further one, until the end of the test. */
  open: () => Promise<Workbench>;
}

/** The clock of the storage must be that of the state. */
export function createWorkbench({ storage, node }: OpenedStorage, state = new TestState()): Workbench {
  const workbench: Workbench = {
    storage,
    node,
    at(ms) {
      state.now = ms;
      return storage;
    },
    recover: (ms) => workbench.at(ms).recoverRuns(node.owner),
    async edit(...changes) {
      for (;;) {
        const version = await storage.definitionsVersion();
        const edited = await storage.changeDefinitions({ id: randomUUID(), version, changes, at: NOW });
        if (edited.kind === 'changed') return edited.definitions.version;
      }
    },
    async addSink(fields = {}) {
      state.made += 1;
      const sink = newSink(`app${state.made}`, fields);
      await workbench.edit({ kind: 'put_sink', sink });
      return sink;
    },
    newRun(sink, { turn = {}, ...fields } = {}) {
      state.made += 1;
      const createdAt = fields.createdAt ?? NOW;
      const runId = formatRunId(runNumberAt(createdAt) + state.made, randomBytes(NONCE_BYTES));
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
        flowKey: null,
        replay: null,
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
      const claimed = await workbench.at(NOW).claimDueRuns(upTo(1000));
      const mine = claimed.find(({ lease }) => lease.runId === runId);
      if (mine === undefined) throw new Error(`${runId} was not claimed`);
      return mine;
    },
    async endAllRuns() {
      state.now = NOW;
      for (const status of ['queued', 'running', 'waiting'] as const) {
        const runs = await storage.listRuns({ status, limit: 10_000 });
        await Promise.all(runs.map(({ id }) => storage.cancelRun(id)));
      }
    },
  };
  return workbench;
}

/** An id that begins with the number of the run, and is that of no run. */
export function strangerOf(runId: string): string {
  return `${runId.slice(0, -1)}${runId.endsWith('0') ? '1' : '0'}`;
}

/** The lease once further turns are stored. */
export function afterTurns(lease: Lease, storedTurns = 1): Lease {
  return { ...lease, turns: lease.turns + storedTurns };
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
    publicUrl: null,
    managedBy: 'api',
    createdAt: NOW,
    updatedAt: NOW,
    ...fields,
  };
}

export function progress(seq: number, percent: number, detail: Partial<ProgressEvent> = {}): ProgressEvent {
  return { seq, progress: percent, step: null, message: null, ...detail };
}

/** The first turn of a run that waits until `at`, and is due then. */
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

/** A turn that leaves the run running. */
export function runningTurn(fields: Partial<Turn>): Turn {
  return {
    status: 'running',
    progress: 0,
    events: [],
    lastSeq: 1,
    steps: [],
    deliveries: [],
    memory: [],
    wakeAt: null,
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
    awaits: null,
    ...fields,
  };
}
