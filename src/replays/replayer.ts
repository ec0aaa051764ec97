// Runs the request of a stored run again, as a new run of its sink.

import { parseJson } from '../core/json/json.ts';
import { defaultVersion, type ReplayMode, type ReplayVersion } from '../core/run/replay.ts';
import { decodeBody, type RequestHead } from '../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../core/run/run-weight.ts';
import type { Sink } from '../core/sink/sink.ts';
import type { Workflow } from '../core/workflow/plan.ts';
import type { Catalog, SinkWorkflow } from '../definitions/catalog.ts';
import type { Dispatched, ReplayStart, Trigger } from '../engine/dispatch/trigger.ts';
import type { Engine } from '../engine/engine.ts';
import type { KeptSteps } from '../engine/execution/program.ts';
import { AppError } from '../errors.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { RunRecord } from '../storage/runs/run-queries.ts';
import type { Storage } from '../storage/storage.ts';
import { changedSteps, stepsToKeep } from './steps-to-keep.ts';

export interface ReplayOrder {
  mode: ReplayMode;
  /** Absent: by the mode. */
  version?: ReplayVersion;
  /** The workflow of the app that a dry run tries instead of the sink's. */
  workflowId?: string;
  /** Null: a caller asks for it, and gets a new run each time. A job gets one run of each. */
  jobId: string | null;
}

export interface ReplayerOptions {
  storage: Pick<Storage, 'listDeliveries' | 'getDelivery'>;
  catalog: Pick<Catalog, 'current' | 'findSink' | 'workflowOf' | 'workflowNamed'>;
  engine: Pick<Engine, 'dispatch' | 'loadWorkflow'>;
  blobs: Pick<BlobStore, 'renew'>;
  /** The age of blobs is by the wall clock. */
  wallClock: () => number;
}

/** A job that was interrupted goes on within this time, or may replay its last runs twice. */
const KEEP_JOB_KEYS_MS = 30 * 86_400_000;

export class Replayer {
  readonly #options: ReplayerOptions;

  constructor(options: ReplayerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the new run is on disk. Rejects with `conflict` if the run cannot be replayed so, and else as a trigger of
   * its sink would.
   */
  async replay(run: RunRecord, { mode, version = defaultVersion(mode), workflowId, jobId }: ReplayOrder): Promise<Dispatched> {
    const { catalog, engine, blobs, wallClock } = this.#options;
    const sink = catalog.findSink(run.sinkId);
    if (sink === undefined) throw new AppError('conflict', 'the sink of this run was deleted, so its request cannot be replayed');
    if (mode === 'from_failed_step' && run.status !== 'failed') throw notFailed(run);
    const { workflow, reference } =
      workflowId !== undefined
        ? await this.#namedBy(run.appId, workflowId)
        : version === 'current'
          ? this.#currentOf(run, sink)
          : await this.#originalOf(run);
    const kept = mode === 'from_failed_step' ? await this.#keep(run, version === 'current' ? workflow : null) : null;
    const head = parseJson(run.request) as RequestHead;
    // Retention may remove the old run's files before the new run refers to them.
    await blobs.renew(
      head.files.map(({ sha256 }) => sha256),
      wallClock(),
    );
    const replay: ReplayStart = { of: run.id, mode, jobId, kept };
    // An operator asked for these two by hand: they are not held with the runs of callers.
    const flow = mode === 'live' ? (sink.flow ?? null) : null;
    const inputMapping = sink.workflows?.find(({ workflowId }) => workflowId === reference?.id)?.inputs ?? sink.inputs;
    const target = { appId: sink.appId, sinkId: sink.id, inputMapping, flow, workflow, workflowReference: reference };
    return await engine.dispatch({ ...target, ...inputOf(run, head, kept), idempotency: idempotencyOf(run, jobId), replay });
  }

  #currentOf({ workflow: reference }: RunRecord, sink: Sink): SinkWorkflow {
    const { catalog } = this.#options;
    if (sink.workflows === undefined) return catalog.workflowOf(sink);
    const workflow = reference === null ? undefined : catalog.workflowNamed(sink, reference.id);
    if (workflow !== undefined) return workflow;
    const which = reference === null ? 'had no workflow' : `used workflow "${reference.id}"`;
    throw new AppError('conflict', `this run ${which}, which its sink does not start any more; replay it with "version": "original"`);
  }

  async #namedBy(appId: string, workflowId: string): Promise<SinkWorkflow> {
    const { catalog, engine } = this.#options;
    const version = catalog.current().workflows.find(({ appId: ofApp, id }) => ofApp === appId && id === workflowId)?.version;
    const reference = version === undefined ? null : { id: workflowId, version };
    const workflow = reference === null ? null : await engine.loadWorkflow(appId, reference);
    if (workflow === null) throw new AppError('not_found', `workflow_id: app "${appId}" has no workflow "${workflowId}"`);
    return { workflow, reference };
  }

  async #originalOf({ appId, workflow: reference }: RunRecord): Promise<SinkWorkflow> {
    const workflow = await this.#options.engine.loadWorkflow(appId, reference);
    if (workflow !== null) return { workflow, reference };
    throw new AppError(
      'conflict',
      `version ${reference?.version} of workflow "${reference?.id}", which this run used, is no longer stored; replay it with "version": "current"`,
    );
  }

  /** `current` is the version that goes on, or null if it is the original one. */
  async #keep(run: RunRecord, current: Workflow | null): Promise<KeptSteps> {
    const kept = await stepsToKeep(run, this.#options.storage);
    if (current === null) return kept;
    const { workflow: original } = await this.#originalOf(run);
    const changed = changedSteps(kept, original, current);
    if (changed.length === 0) return kept;
    throw new AppError(
      'conflict',
      `the current version has changed or removed steps that this run has ended: ${changed.join(', ')}; replay it with "version": "original", or with "mode": "live"`,
      { details: { steps: changed } },
    );
  }
}

/** A large body, or one with large outputs beside it, is decoded in the thread of large runs. */
function inputOf(run: RunRecord, head: RequestHead, kept: KeptSteps | null): Pick<Trigger, 'head' | 'body' | 'request'> {
  const body = { kind: run.bodyKind, bytes: run.body, charset: run.bodyCharset };
  const outputBytes = kept?.steps.reduce((bytes, { outputs }) => bytes + (outputs?.length ?? 0), 0) ?? 0;
  const isLarge = body.bytes.byteLength + outputBytes > LARGE_RUN_BYTES;
  return { head, body, request: isLarge ? null : { ...head, body: decodeBody(body, head.files) } };
}

/** No caller can send this key: that of a header has no space, and every other one begins differently. */
function idempotencyOf(run: RunRecord, jobId: string | null): Trigger['idempotency'] {
  return jobId === null ? null : { key: `replay ${jobId} ${run.id}`, fingerprint: jobId, keepMs: KEEP_JOB_KEYS_MS };
}

function notFailed({ status }: RunRecord): AppError {
  return new AppError('conflict', `the run has no failed step to go on from: it is ${status}; replay it with "mode": "live"`);
}
