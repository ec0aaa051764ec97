// Starts runs of a sink with flow control: each is stored as queued, and storage decides in the same commit when it is due.

import type { Clock } from '../../clock.ts';
import { parseJson, stringifyJson } from '../../core/json/json.ts';
import { batchOf } from '../../core/run/batch.ts';
import type { Request } from '../../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import { flowKeyOf } from '../../core/sink/limits/flow-key.ts';
import { type FlowSetting, flowKeySelector } from '../../core/sink/limits/flow-setting.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileSelector } from '../../core/workflow/bindings.ts';
import { bindInputs } from '../../core/workflow/inputs.ts';
import type { WorkflowVersion } from '../../core/workflow/plan.ts';
import { AppError } from '../../errors.ts';
import type { NewRunId } from '../../ids.ts';
import type { Logger } from '../../logger.ts';
import { MAX_REPEATS, pauseBefore, repeatUnknown } from '../../repetition.ts';
import type { CreateRunResult, CreateRunsResult, FlowDecision, Idempotency, NewRun } from '../../storage/runs/run-records.ts';
import type { Storage } from '../../storage/storage.ts';
import type { LargeRun } from '../large/large-runs.ts';
import type { StartedRuns } from '../started-runs.ts';
import { logRunEnd } from '../turn.ts';
import { newRun } from './new-run.ts';
import { dispatchedRun, queuedTurn } from './queued-turn.ts';
import { joinEarlier, joinRequest, refuseReusedKey, rethrowOf } from './refused-runs.ts';
import type { Dispatched, SharedRequest, Trigger } from './trigger.ts';

export interface QueuedRunsOptions<Version extends WorkflowVersion> {
  storage: Pick<Storage, 'createRun' | 'createRuns'>;
  clock: Clock;
  newRunId: NewRunId;
  logger: Logger;
  startedRuns: StartedRuns;
  startLarge: (runId: string, trigger: Trigger<Version>) => Promise<LargeRun>;
  /** Renders a template over a large request to JSON text. */
  renderLarge: (large: Pick<Trigger, 'head' | 'body' | 'reading'> & { template: unknown; roots: string }) => Promise<string>;
  /** Called with what flow control has decided about a stored run. */
  onDecided: (decision: FlowDecision) => void;
}

/** Compiled once per sink: its setting is the same object for every request. */
const keySelectorOf = memoizeByIdentity((flow: FlowSetting) => compileSelector(flowKeySelector(flow) as string));

/** One trigger is all that its request starts. */
const ALONE: SharedRequest = { idempotency: null };

interface Queued<Version extends WorkflowVersion> {
  trigger: Trigger<Version>;
  run: NewRun;
}

export class QueuedRuns<Version extends WorkflowVersion> {
  readonly #options: QueuedRunsOptions<Version>;

  constructor(options: QueuedRunsOptions<Version>) {
    this.#options = options;
  }

  async startOne(trigger: Trigger<Version>): Promise<Dispatched> {
    const [dispatched] = await this.start([trigger], ALONE);
    return dispatched as Dispatched;
  }

  /** Starts all of the runs or none. */
  async start(triggers: readonly Trigger<Version>[], shared: SharedRequest | undefined): Promise<Dispatched[]> {
    for (let attempt = 1; attempt <= MAX_REPEATS; attempt += 1) {
      const dispatched = await this.#tryStart(triggers, shared);
      if (dispatched !== null) return dispatched;
      await pauseBefore(attempt);
    }
    throw new AppError('unavailable', 'the ids of these runs are taken; try again', { retryAfterSeconds: 1 });
  }

  /** Resolves to null if another run has an id of these. */
  async #tryStart(triggers: readonly Trigger<Version>[], shared: SharedRequest | undefined): Promise<Dispatched[] | null> {
    const queued: Queued<Version>[] = [];
    for (const [item, trigger] of triggers.entries())
      queued.push(await this.#queue(trigger).catch((error: unknown) => rethrowOf(item, error, shared)));
    const runs = queued.map(({ run }) => run);
    const key = shared?.idempotency ?? null;
    const create = (): Promise<CreateRunsResult> => this.#create(runs, key);
    const { isStored, results, earlier } = await create().catch((error: unknown) => repeatUnknown(error, create));
    if (earlier !== undefined) return joinRequest(earlier, key?.key ?? '');
    if (isStored) return queued.map((one, item) => this.#finish(one, results[item] as CreateRunResult));
    for (const [item, result] of results.entries())
      if (result.kind === 'refused') rethrowOf(item, refusalOf(result, triggers[item] as Trigger<Version>), shared);
    return refuseReusedKey(results, triggers);
  }

  /** Several runs need a transaction of their own; most requests start one. */
  async #create(runs: NewRun[], key: Idempotency | null): Promise<CreateRunsResult> {
    const { storage } = this.#options;
    const [first] = runs;
    if (first === undefined || runs.length > 1 || key !== null) return await storage.createRuns(runs, key);
    const result = await storage.createRun(first);
    const { kind } = result;
    return { isStored: kind === 'created' || kind === 'collected' || kind === 'duplicate', results: [result] };
  }

  /** Throws as `bindInputs` does. */
  async #queue(given: Trigger<Version>): Promise<Queued<Version>> {
    const { clock, newRunId } = this.#options;
    const flowKey = await this.#keyOf(given);
    const isCollected = given.flow?.batch !== undefined && given.replay === undefined;
    const trigger = isCollected ? collected(given) : given;
    // Read first: a run must not be younger than its id says.
    const now = clock();
    const runId = newRunId();
    const first = { runId, now, firstTurn: { turn: queuedTurn(now) } };
    if (trigger.request !== null)
      return { trigger, run: newRun(trigger, { ...first, inputs: inputsOf(trigger, trigger.request) }, flowKey) };
    const large = await this.#options.startLarge(runId, trigger);
    const { kind, charset, inputs } = large.started;
    large.dispose();
    const decoded = { ...trigger, body: { ...trigger.body, kind, charset } };
    return { trigger: decoded, run: newRun(decoded, { ...first, inputs }, flowKey) };
  }

  async #keyOf({ flow, head, body, request, reading }: Trigger<Version>): Promise<string> {
    const template = flow === null ? null : flowKeySelector(flow);
    if (flow === null || template === null) return '';
    if (request !== null) return flowKeyOf(keySelectorOf(flow)({ request }));
    return flowKeyOf(parseJson(await this.#options.renderLarge({ head, body, reading, template, roots: '{}' })));
  }

  #finish({ trigger, run }: Queued<Version>, result: CreateRunResult): Dispatched {
    if (result.kind === 'duplicate') return joinEarlier(result, trigger.idempotency?.key ?? '');
    if (result.kind === 'collected') {
      this.#options.onDecided(result.flow);
      return dispatchedRun(result.runId, result.flow);
    }
    const { logger, startedRuns, onDecided } = this.#options;
    const { runId, createdAt } = run;
    const decision = (result as Extract<CreateRunResult, { kind: 'created' }>).flow as FlowDecision;
    // A batch is announced with all its requests, when it starts.
    if (run.bodyKind !== 'batch' || run.replay !== null) startedRuns.announce(trigger.sinkId, runId, trigger.head, trigger.body);
    const dispatched = dispatchedRun(runId, decision);
    if (dispatched.ended !== null) logRunEnd(logger, { ...trigger, createdAt }, runId, { ...run.turn, ...dispatched.ended });
    onDecided(decision);
    return dispatched;
  }
}

/** The trigger as a batch of one request. Throws `too_large` or `unsupported_media`. */
function collected<Version extends WorkflowVersion>(trigger: Trigger<Version>): Trigger<Version> & { request: Request } {
  if (trigger.request === null)
    throw new AppError('too_large', `the body is too large to be collected into a batch; at most ${LARGE_RUN_BYTES} bytes are accepted`);
  if (trigger.head.files.length > 0)
    throw new AppError('unsupported_media', 'this sink collects requests into batches, which have no files; send data without files');
  return { ...trigger, ...batchOf(trigger.request) };
}

/**
 * JSON text; null if request and workflow determine the inputs. Of a batch, the mapping: its inputs are bound when it starts.
 * Throws as `bindInputs` does.
 */
function inputsOf({ workflow, inputMapping, body, replay }: Trigger<WorkflowVersion>, request: Request): string | null {
  const inputs = bindInputs(workflow, inputMapping, request, body.kind);
  if (Object.keys(inputMapping).length === 0) return null;
  return stringifyJson(body.kind === 'batch' && replay === undefined ? inputMapping : inputs);
}

/** A place may be free in a moment; a full queue takes longer. */
const RETRY_AFTER_SECONDS = { no_place: 1, queue_full: 5 };

function refusalOf({ reason }: Extract<CreateRunResult, { kind: 'refused' }>, { flow }: Trigger<WorkflowVersion>): AppError {
  const message =
    reason === 'queue_full'
      ? `the sink holds ${flow?.queueLimit ?? 'too many'} runs already; try again later`
      : 'the sink has no place for another run now; try again';
  return new AppError('rate_limited', message, { details: { reason }, retryAfterSeconds: RETRY_AFTER_SECONDS[reason] });
}
