// Claims due runs, as many at a time as there is memory for, and restores and advances each.

import type { Clock } from '../clock.ts';
import { parseJson } from '../core/json/json.ts';
import type { RequestHead } from '../core/run/request.ts';
import { runWeight } from '../core/run/run-weight.ts';
import { AppError } from '../errors.ts';
import type { LeasedWork } from '../leases/claim-loop.ts';
import type { Logger } from '../logger.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import type { ClaimedRun, Lease, RunClaimLimit } from '../storage/runs/run-records.ts';
import type { RunStore } from '../storage/runs/run-store.ts';
import type { BackgroundWork } from './background-work.ts';
import type { StartedRuns } from './started-runs.ts';
import type { ActiveRun } from './turn.ts';
import type { Worker } from './worker.ts';

export interface DueRunsOptions {
  storage: Pick<RunStore, 'claimDueRuns' | 'nextWake' | 'releaseRun' | 'renewLeases'>;
  worker: Worker;
  restore: (claimed: ClaimedRun) => Promise<ActiveRun>;
  startedRuns: StartedRuns;
  background: BackgroundWork;
  memory: MemoryAccount;
  clock: Clock;
  logger: Logger;
  isDraining: () => boolean;
}

const CLAIM_LIMIT = 64;
const MAX_ACTIVE = 512;
/** Delay before due runs without memory are claimed again. */
const NO_MEMORY_MS = 50;
/** Delay before a run that could not be restored is due again. */
const RETRY_MS = 500;

export class DueRuns implements LeasedWork {
  readonly name = 'runs';
  readonly #options: DueRunsOptions;
  readonly #resuming = new Map<string, Lease>();
  /** The last run that was claimed alone. */
  #alone: string | null = null;

  constructor(options: DueRunsOptions) {
    this.#options = options;
  }

  async claim(): Promise<number> {
    const { storage, background, clock, isDraining } = this.#options;
    let now = clock();
    for (let limits = this.#limits(); limits.limit > 0 && !isDraining(); limits = this.#limits()) {
      now = clock();
      const claimed = await storage.claimDueRuns(limits);
      for (const run of claimed) background.track(this.#resume(run));
      if (claimed.length < limits.limit) break;
    }
    const next = (await storage.nextWake()) ?? Number.POSITIVE_INFINITY;
    // A run that is due and was not claimed waits for memory.
    return next <= now ? clock() + NO_MEMORY_MS : next;
  }

  async renew(): Promise<void> {
    const { storage, worker } = this.#options;
    const acting = [...worker.active.values()].filter(({ effects }) => effects > 0).map(({ lease }) => lease);
    const leases = [...acting, ...this.#resuming.values()];
    const lost = leases.length === 0 ? [] : await storage.renewLeases(leases);
    for (const runId of lost) worker.stop(runId);
  }

  #limits(): RunClaimLimit {
    const { worker, background, memory } = this.#options;
    return {
      limit: Math.min(CLAIM_LIMIT, MAX_ACTIVE - background.size),
      maxWeight: memory.available,
      takesAlone: this.#alone === null || !(this.#resuming.has(this.#alone) || worker.active.has(this.#alone)),
    };
  }

  async #resume(claimed: ClaimedRun): Promise<void> {
    const { worker, restore, memory, logger } = this.#options;
    const { lease } = claimed;
    const weight = runWeight(claimed.bytes);
    let run: ActiveRun | null = null;
    worker.stop(lease.runId);
    memory.reserveAnyway(weight);
    this.#resuming.set(lease.runId, lease);
    if (claimed.isAlone) this.#alone = lease.runId;
    try {
      run = await restore(claimed);
      this.#announceBatch(claimed);
      run.weight = weight;
      const { program } = run;
      await worker.advance(run, () => {
        for (const { step, visit, result } of claimed.results) program.giveResult(step, visit, result);
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
      logger.warn({ run_id: lease.runId, reason: error.message }, 'a run could not be resumed; trying again');
      await this.#release(lease);
    } finally {
      if (run === null) memory.release(weight);
      else worker.forget(run);
      this.#resuming.delete(lease.runId);
    }
  }

  /** A batch has all its requests when it starts. */
  #announceBatch({ lease, sinkId, bodyKind: kind, bodyCharset: charset, body: bytes, request, replay }: ClaimedRun): void {
    if (kind !== 'batch' || replay !== null || lease.turns > 1) return;
    this.#options.startedRuns.announce(sinkId, lease.runId, parseJson(request) as RequestHead, { kind, bytes, charset });
  }

  /** Never rejects: if it fails, the run is claimed once its lease is over. */
  async #release(lease: Lease): Promise<void> {
    const { storage, logger } = this.#options;
    await storage.releaseRun(lease, RETRY_MS).catch((error: unknown) => {
      logger.warn({ err: error, run_id: lease.runId }, 'a run could not be released');
    });
  }
}
