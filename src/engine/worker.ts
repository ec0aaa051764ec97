// Advances runs that are on disk, turn by turn: sends what a turn wants sent, takes in what came of it, and writes the
// next turn in one commit before anybody hears of it.

import type { Clock } from '../clock.ts';
import { isTerminal } from '../core/run.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { OutboundRequest, OutboundResult } from '../steps/step-type.ts';
import type { Lease, RunChange, Storage } from '../storage/storage.ts';
import { eventsOf } from './change-events.ts';
import { LONGEST_SLEEP_MS } from './due-timer.ts';
import type { PlannedSend } from './execution.ts';
import type { RunFeed } from './run-feed.ts';
import { type ActiveRun, advanceSafely, failUnexpectedly, LEASE_MS, logRunEnd } from './turn.ts';

/** Sends one message. Never throws for what the outside world does. */
export type Send = (request: OutboundRequest, options: { idempotencyKey: string; signal: AbortSignal }) => Promise<OutboundResult>;

export interface WorkerOptions {
  storage: Pick<Storage, 'advanceRun'>;
  feed: RunFeed;
  clock: Clock;
  logger: Logger;
  /** Required by step types that send. */
  send: Send | undefined;
  /** Told when a run that waits, or is being sent for, must be looked at again. */
  wakeBy: (at: number) => void;
  isDraining: () => boolean;
}

export interface Worker {
  /** Runs of this process that are being sent for, by run id. */
  readonly active: ReadonlyMap<string, ActiveRun>;
  /** Sends, and goes on until the run ends, waits, or is no longer ours. */
  continueRun(run: ActiveRun, sends: PlannedSend[]): Promise<void>;
  /** Writes what the last turn brought and tells of it; false when the run is no longer ours, waits, or has ended. */
  commitTurn(run: ActiveRun): Promise<boolean>;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;

export function createWorker({ storage, feed, clock, logger, send, wakeBy, isDraining }: WorkerOptions): Worker {
  const active = new Map<string, ActiveRun>();

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
        sends = advanceSafely(run.execution, runId, clock(), logger);
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
      failUnexpectedly(execution, { run_id: lease.runId, step }, error, logger);
    }
    return step;
  }

  async function commitTurn(run: ActiveRun): Promise<boolean> {
    const { lease, execution } = run;
    const now = clock();
    const change = execution.takeChange(now + LEASE_MS, now);
    if (!(await persist(lease, change))) return false;
    feed.publish(lease.runId, eventsOf(change));
    if (isTerminal(change.status)) logRunEnd(logger, run, lease.runId, change);
    else wakeBy(change.wakeAt as number);
    return change.status === 'running';
  }

  /** A locked or full database delays a run; it must not lose it. */
  async function persist(lease: Lease, change: RunChange): Promise<boolean> {
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        return await storage.advanceRun(lease, change);
      } catch (error) {
        if (!(error instanceof AppError) || isDraining()) throw error;
        logger.warn({ run_id: lease.runId, reason: error.message }, 'a run waits for the database');
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  return { active, continueRun, commitTurn };
}
