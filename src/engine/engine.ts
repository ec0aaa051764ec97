// The run engine: starts runs, advances them turn by turn, and takes up after a restart what was left undone.
// A turn is planned in memory, written in one commit, and only then told to anybody or sent anywhere.

import type { Clock } from '../clock.ts';
import { parseJson } from '../core/json.ts';
import { decodeBody, type Request, type RequestHead } from '../core/request.ts';
import type { NewRunId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { StepTypes } from '../steps/index.ts';
import type { ClaimedRun, RunChange, Storage } from '../storage/storage.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { createDueTimer } from './due-timer.ts';
import { Execution, type PlannedSend } from './execution.ts';
import type { RunFeed } from './run-feed.ts';
import { type ActiveRun, advanceSafely, LEASE_MS } from './turn.ts';
import { createWorker, type Send } from './worker.ts';
import { createWorkflowCache } from './workflow-cache.ts';

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
  dispatch: Dispatch;
  /** Null when there is no such run; `cancelled` is false when it had ended already. */
  cancel(runId: string): Promise<{ cancelled: boolean } | null>;
  /** Lets active runs finish within the time, then gives the rest back. No run is lost. */
  drain(timeoutMs: number): Promise<void>;
}

const RENEW_EVERY_MS = 5000;
const CLAIM_LIMIT = 64;
const MAX_ACTIVE = 512;
/** Until due runs are claimed again when there was no room, or no database. */
const NO_ROOM_MS = 50;
const NO_DATABASE_MS = 500;

export function createEngine(options: EngineOptions): Engine {
  const { storage, stepTypes, feed, clock, newRunId, logger, random = Math.random, send } = options;
  const tools = { stepTypes, random };
  const loadWorkflow = createWorkflowCache(storage);
  const turns = new Set<Promise<void>>();
  let renewedAt = clock();
  let isDraining = false;
  const dueTimer = createDueTimer(clock, () => track(claimDue()));
  const renewTimer = setInterval(() => track(renewLeases()), RENEW_EVERY_MS);
  const worker = createWorker({ storage, feed, clock, logger, send, wakeBy: dueTimer.wakeBy, isDraining: () => isDraining });
  const { active } = worker;
  const dispatch = createDispatch({ storage, tools, clock, newRunId, logger, isDraining: () => isDraining, onGoing: takeOver });

  /** Remembers work in the background until it is over, so that draining can wait for it; its failure is logged. */
  function track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => logger.error({ err: error }, 'the engine failed')).finally(() => turns.delete(tracked));
    turns.add(tracked);
  }

  async function allTurns(): Promise<void> {
    while (turns.size > 0) await Promise.all(turns);
  }

  function takeOver(run: ActiveRun, change: RunChange, sends: PlannedSend[]): void {
    dueTimer.wakeBy(change.wakeAt as number);
    if (change.status === 'running') track(isDraining ? giveBack(run) : worker.continueRun(run, sends));
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
      dueTimer.wakeBy(turns.size >= MAX_ACTIVE ? clock() + NO_ROOM_MS : (next ?? Number.POSITIVE_INFINITY));
    } catch (error) {
      logger.warn({ err: error }, 'due runs could not be claimed; trying again');
      dueTimer.wakeBy(clock() + NO_DATABASE_MS);
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
    const sends = advanceSafely(execution, lease.runId, clock(), logger);
    if (await worker.commitTurn(run)) await worker.continueRun(run, sends);
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

function restoreRequest(run: ClaimedRun): Request {
  const head = JSON.parse(run.request) as RequestHead;
  return { ...head, body: decodeBody({ kind: run.bodyKind, bytes: run.body, charset: run.bodyCharset }, head.files) };
}
