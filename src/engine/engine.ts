// The run engine: starts runs, advances them turn by turn, and takes up after a restart what was left undone.
// A turn is planned in memory, written in one commit, and only then told to anybody or sent anywhere.

import type { Clock } from '../clock.ts';
import { parseJson, stringifyJson } from '../core/json.ts';
import { decodeBody, type Request, type RequestBody, type RequestHead } from '../core/request.ts';
import { isTerminal, type RunError } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { Workflow } from '../core/workflow.ts';
import { AppError } from '../errors.ts';
import type { NewRunId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { StepTypes } from '../steps/index.ts';
import type { OutboundRequest, OutboundResult } from '../steps/step-type.ts';
import type { ClaimedRun, Lease, RunChange, Storage } from '../storage/storage.ts';
import { createDueTimer, LONGEST_SLEEP_MS } from './due-timer.ts';
import { Execution, eventsOf, type PlannedSend } from './execution.ts';
import type { RunFeed } from './run-feed.ts';
import { createWorkflowCache } from './workflow-cache.ts';

/** Sends one message. Never throws for what the outside world does. */
export type Send = (request: OutboundRequest, options: { idempotencyKey: string; signal: AbortSignal }) => Promise<OutboundResult>;

export interface Trigger {
  appId: string;
  sinkId: string;
  /** The planned workflow of the sink. */
  workflow: Workflow;
  /** Null where the sink names no workflow. */
  workflowReference: { id: string; version: number } | null;
  head: RequestHead;
  body: RequestBody;
  /** The body's value, decoded already. */
  request: Request;
  inputs: Record<string, unknown>;
  idempotency: { key: string; fingerprint: string } | null;
}

/** A run that is on disk. */
export interface Dispatched {
  runId: string;
  /** Everything that the stream holds so far; empty for a duplicate. */
  events: RunEvent[];
  /** How the run ended, when it ended within its first commit. */
  ended: Pick<RunChange, 'status' | 'output' | 'error'> | null;
  /** The idempotency key named an earlier run, and this is that run. */
  isDuplicate: boolean;
}

export interface EngineOptions {
  storage: Storage;
  stepTypes: StepTypes;
  feed: RunFeed;
  clock: Clock;
  newRunId: NewRunId;
  logger: Logger;
  random?: () => number;
  /** Required by step types that send. */
  send?: Send;
}

export interface Engine {
  /** Takes up what an earlier process left, and begins to watch due times. */
  start(): Promise<void>;
  /** Resolves when the run and its input are on disk. Rejects with `unavailable`, `conflict` or `unprocessable`. */
  dispatch(trigger: Trigger): Promise<Dispatched>;
  /** Null when there is no such run; `cancelled` is false when it had ended already. */
  cancel(runId: string): Promise<{ cancelled: boolean } | null>;
  /** Lets active runs finish within the time, then gives the rest back. No run is lost. */
  drain(timeoutMs: number): Promise<void>;
}

const LEASE_MS = 15_000;
const RENEW_EVERY_MS = 5000;
const CLAIM_LIMIT = 64;
const MAX_ACTIVE = 512;
const IDEMPOTENCY_KEY_MS = 24 * 3_600_000;
const FIRST_STORAGE_RETRY_MS = 50;
const LAST_STORAGE_RETRY_MS = 5000;

interface ActiveRun {
  lease: Lease;
  appId: string;
  sinkId: string;
  createdAt: number;
  execution: Execution;
  stop: AbortController;
}

export function createEngine(options: EngineOptions): Engine {
  const { storage, stepTypes, feed, clock, newRunId, logger, random = Math.random, send } = options;
  const tools = { stepTypes, random };
  const loadWorkflow = createWorkflowCache(storage);
  const active = new Map<string, ActiveRun>();
  const turns = new Set<Promise<void>>();
  const dueTimer = createDueTimer(clock, () => track(claimDue()));
  const renewTimer = setInterval(() => track(renewLeases()), RENEW_EVERY_MS);
  let renewedAt = clock();
  let isDraining = false;

  /** Remembers work in the background until it is over, so that draining can wait for it; its failure is logged. */
  function track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => logger.error({ err: error }, 'the engine failed')).finally(() => turns.delete(tracked));
    turns.add(tracked);
  }

  async function allTurns(): Promise<void> {
    while (turns.size > 0) await Promise.all(turns);
  }

  function logEnd(run: Pick<ActiveRun, 'appId' | 'sinkId' | 'createdAt'>, runId: string, change: RunChange): void {
    const { appId, sinkId, createdAt } = run;
    const fields = { run_id: runId, app_id: appId, sink_id: sinkId, status: change.status, duration_ms: change.at - createdAt };
    if (change.error === null) logger.info(fields, 'run ended');
    else logger.info({ ...fields, error_code: change.error.code, step: change.error.step }, 'run ended');
  }

  async function dispatch(trigger: Trigger): Promise<Dispatched> {
    const { appId, sinkId, workflow, request, inputs, body, idempotency } = trigger;
    if (isDraining) throw new AppError('unavailable', 'the server is shutting down; try again', { retryAfterSeconds: 5 });
    const runId = newRunId();
    const now = clock();
    const execution = new Execution(tools, { runId, workflow, request, inputs });
    const sends = advanceSafely(execution, runId, now);
    const change = execution.takeChange(now + LEASE_MS, now);
    const ended = isTerminal(change.status);
    const created = await storage.createRun({
      runId,
      appId,
      sinkId,
      workflow: trigger.workflowReference,
      request: JSON.stringify(trigger.head),
      bodyKind: body.kind,
      bodyCharset: body.charset,
      body: body.bytes,
      blobs: trigger.head.files.map(({ sha256 }) => sha256),
      inputs: ended ? null : stringifyJson(inputs),
      idempotency: idempotency === null ? null : { ...idempotency, expiresAt: now + IDEMPOTENCY_KEY_MS },
      createdAt: now,
      change,
    });
    if (created.kind === 'id_taken') return dispatch(trigger);
    if (created.kind === 'duplicate') {
      if (created.sameRequest) return { runId: created.runId, events: [], ended: null, isDuplicate: true };
      throw new AppError(
        'unprocessable',
        `Idempotency-Key "${idempotency?.key}" was used before with another request; use a new key for a new request`,
        {
          details: { run_id: created.runId },
        },
      );
    }
    if (ended) logEnd({ appId, sinkId, createdAt: now }, runId, change);
    else dueTimer.wakeBy(change.wakeAt as number);
    if (change.status === 'running') {
      const run = { lease: { runId, epoch: created.epoch }, appId, sinkId, createdAt: now, execution, stop: new AbortController() };
      track(isDraining ? giveBack(run) : continueRun(run, sends));
    }
    return { runId, events: eventsOf(runId, change), ended: ended ? change : null, isDuplicate: false };
  }

  /** A step type that throws is a bug: the run fails, the reason is logged, and the caller reads no internals. */
  function advanceSafely(execution: Execution, runId: string, now: number): PlannedSend[] {
    try {
      return execution.advance(now);
    } catch (error) {
      logger.error({ err: error, run_id: runId }, 'a step failed unexpectedly');
      execution.abort(INTERNAL);
      return [];
    }
  }

  async function continueRun(run: ActiveRun, firstSends: PlannedSend[]): Promise<void> {
    const { runId } = run.lease;
    active.set(runId, run);
    try {
      const pending = new Map<string, Promise<string>>();
      for (let sends = firstSends; ; ) {
        for (const planned of sends) pending.set(planned.step, perform(run, planned));
        if (pending.size === 0) return;
        const settled = await firstOf(pending.values(), run.execution.nextDueAt());
        if (settled !== null) pending.delete(settled);
        if (run.stop.signal.aborted) return;
        sends = advanceSafely(run.execution, runId, clock());
        if (!(await commitTurn(run))) return;
      }
    } finally {
      // What is still being sent for a run that has ended, or went to another owner, is of no use.
      run.stop.abort();
      if (active.get(runId) === run) active.delete(runId);
    }
  }

  /** The step whose send is over first, or null when a waiting step is due before. */
  async function firstOf(sends: Iterable<Promise<string>>, dueAt: number | null): Promise<string | null> {
    if (dueAt === null) return await Promise.race(sends);
    let timer: NodeJS.Timeout | undefined;
    const due = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, Math.min(Math.max(dueAt - clock(), 0), LONGEST_SLEEP_MS), null);
    });
    return await Promise.race([...sends, due]).finally(() => clearTimeout(timer));
  }

  /** Resolves to the step's name once the execution knows the result. */
  async function perform({ execution, stop, lease }: ActiveRun, { step, request, idempotencyKey }: PlannedSend): Promise<string> {
    try {
      if (send === undefined) throw new Error('a step type wants to send, but the engine was given no way to');
      const result = await send(request, { idempotencyKey, signal: stop.signal });
      if (!stop.signal.aborted) execution.settleSend(step, result, clock());
    } catch (error) {
      if (stop.signal.aborted) return step;
      logger.error({ err: error, run_id: lease.runId, step }, 'a step failed unexpectedly');
      execution.abort(INTERNAL);
    }
    return step;
  }

  /** Writes what the last turn brought and tells of it; false when the run is no longer ours, or has ended. */
  async function commitTurn(run: ActiveRun): Promise<boolean> {
    const { lease, execution } = run;
    const now = clock();
    const change = execution.takeChange(now + LEASE_MS, now);
    if (!(await persist(lease, change))) return false;
    feed.publish(lease.runId, eventsOf(lease.runId, change));
    if (isTerminal(change.status)) logEnd(run, lease.runId, change);
    else dueTimer.wakeBy(change.wakeAt as number);
    return change.status === 'running';
  }

  /** A locked or full database delays a run; it must not lose it. */
  async function persist(lease: Lease, change: RunChange): Promise<boolean> {
    for (let delayMs = FIRST_STORAGE_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_STORAGE_RETRY_MS)) {
      try {
        return await storage.advanceRun(lease, change);
      } catch (error) {
        if (!(error instanceof AppError) || isDraining) throw error;
        logger.warn({ run_id: lease.runId, reason: error.message }, 'a run waits for the database');
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  async function claimDue(): Promise<void> {
    if (isDraining) return;
    try {
      // After a sleep of the machine, or a long lock, our own runs must not look abandoned.
      if (clock() - renewedAt > 2 * RENEW_EVERY_MS) await renewLeases();
      while (!isDraining) {
        const room = Math.min(CLAIM_LIMIT, MAX_ACTIVE - turns.size);
        if (room <= 0) break;
        const now = clock();
        const claimed = await storage.claimDueRuns(now, now + LEASE_MS, room);
        for (const run of claimed) track(takeUp(run));
        if (claimed.length < room) break;
      }
      const next = await storage.nextWake();
      dueTimer.wakeBy(turns.size >= MAX_ACTIVE ? clock() + FIRST_STORAGE_RETRY_MS : (next ?? Number.POSITIVE_INFINITY));
    } catch (error) {
      logger.warn({ err: error }, 'due runs could not be claimed; trying again');
      dueTimer.wakeBy(clock() + LAST_STORAGE_RETRY_MS / 10);
    }
  }

  async function takeUp(claimed: ClaimedRun): Promise<void> {
    const { lease, appId, sinkId, createdAt } = claimed;
    active.get(lease.runId)?.stop.abort();
    const workflow = await loadWorkflow(appId, claimed.workflow);
    const start = {
      runId: lease.runId,
      workflow: workflow ?? { id: '', version: 0, inputs: [], steps: [], outputs: [] },
      request: restoreRequest(claimed),
      inputs: (parseJson(claimed.inputs ?? '{}') ?? {}) as Record<string, unknown>,
    };
    const execution = new Execution(tools, start, claimed);
    const run = { lease, appId, sinkId, createdAt, execution, stop: new AbortController() };
    if (workflow === null) execution.abort({ code: 'workflow_missing', message: 'the workflow version of this run is no longer stored' });
    const sends = advanceSafely(execution, lease.runId, clock());
    if (await commitTurn(run)) await continueRun(run, sends);
  }

  async function renewLeases(): Promise<void> {
    const now = clock();
    const leases = [...active.values()].map(({ lease }) => lease);
    const lost = leases.length === 0 ? [] : await storage.renewLeases(leases, now + LEASE_MS);
    renewedAt = now;
    for (const runId of lost) active.get(runId)?.stop.abort();
  }

  /** A run that cannot be given back is taken up at the next start, or once its lease is over. */
  async function giveBack({ lease, stop }: ActiveRun): Promise<void> {
    stop.abort();
    await storage.releaseRun(lease, clock()).catch((error: unknown) => {
      logger.warn({ err: error, run_id: lease.runId }, 'a run could not be given back');
    });
  }

  return {
    dispatch,
    async start() {
      const recovered = await storage.recoverRuns(clock());
      if (recovered > 0) logger.info({ runs: recovered }, 'took up runs that an earlier process left');
      await claimDue();
    },
    async cancel(runId) {
      const result = await storage.cancelRun(runId, clock());
      if (result === null) return null;
      active.get(runId)?.stop.abort();
      feed.publish(runId, result.events);
      if (result.cancelled) logger.info({ run_id: runId, status: 'cancelled' }, 'run ended');
      return { cancelled: result.cancelled };
    },
    async drain(timeoutMs) {
      isDraining = true;
      dueTimer.stop();
      clearInterval(renewTimer);
      let deadline: NodeJS.Timeout | undefined;
      const timeIsUp = new Promise<void>((resolve) => {
        deadline = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([allTurns(), timeIsUp]);
      clearTimeout(deadline);
      await Promise.all([...active.values()].map(giveBack));
    },
  };
}

const INTERNAL: RunError = { code: 'internal', message: 'an internal error ended the run' };

function restoreRequest(run: ClaimedRun): Request {
  const head = JSON.parse(run.request) as RequestHead;
  return { ...head, body: decodeBody({ kind: run.bodyKind, bytes: run.body, charset: run.bodyCharset }, head.files) };
}
