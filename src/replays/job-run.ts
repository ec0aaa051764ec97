// Carries out one claimed job: replays its runs page by page, the oldest first, and records each page. Replays in flight when
// the process dies are begun again by the next owner, which then gets the runs that they have become.

import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ClaimedJob, JobProgress, SelectedRun } from '../storage/job-records.ts';
import type { Storage } from '../storage/storage.ts';
import { Pace } from './pace.ts';

export interface JobRunOptions {
  storage: Pick<Storage, 'listSelectedRuns' | 'recordJob'>;
  /** Resolves when the replay of a run is on disk. Rejects with `unavailable` or `rate_limited` if it should be tried again. */
  replay: (run: SelectedRun, job: ClaimedJob['job']) => Promise<void>;
  clock: Clock;
  logger: Logger;
}

type Outcome = 'replayed' | { kind: 'failed' | 'skipped'; error: NonNullable<JobProgress['lastError']> };

const MAX_IN_FLIGHT = 32;
const MAX_PAGE = 100;
/** Codes of refusals that pass: the server is full, or flow control of the sink. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['unavailable', 'rate_limited']);
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 5000;

export class JobRun {
  readonly #claimed: ClaimedJob;
  readonly #options: JobRunOptions;
  readonly #stop = new AbortController();
  readonly #pace: Pace;
  #progress: JobProgress;
  /** Another owner has the job, or it is cancelled: nothing is recorded any more. */
  #isLost = false;
  #keepsLease = false;

  constructor(claimed: ClaimedJob, options: JobRunOptions) {
    const { position, replayed, failed, skipped, lastError, ratePerSecond } = claimed.job;
    this.#claimed = claimed;
    this.#options = options;
    // Every replay in flight may wait for it.
    setMaxListeners(2 * MAX_IN_FLIGHT, this.#stop.signal);
    this.#pace = new Pace(ratePerSecond, options.clock, this.#stop.signal);
    this.#progress = { position, replayed, failed, skipped, lastError };
  }

  /** Resolves when the job has ended, is released or is lost. Never rejects with `unavailable`. */
  async proceed(): Promise<void> {
    const { storage } = this.#options;
    const { runs, ratePerSecond } = this.#claimed.job;
    const pageSize = Math.min(MAX_PAGE, Math.ceil(ratePerSecond / 2));
    while (!this.#isStopped) {
      const page = await this.#untilAvailable(() => storage.listSelectedRuns(runs, this.#progress.position, pageSize));
      if (page === null) break;
      if (page.length === 0) return await this.#record('completed');
      this.#add(page, await this.#replayAll(page));
      if (!this.#isStopped) await this.#record('running');
    }
    if (!this.#isLost) await this.#release();
  }

  /** Begins no further replay. Those in flight end, and the job is released. */
  stop(): void {
    this.#stop.abort();
  }

  /** The same, except that the lease is kept. */
  halt(): void {
    this.#keepsLease = true;
    this.stop();
  }

  /** Renews the lease. */
  async renew(): Promise<void> {
    if (!(await this.#options.storage.recordJob(this.#claimed.lease, 'running', this.#progress))) this.#lose();
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #lose(): void {
    this.#isLost = true;
    this.stop();
  }

  async #replayAll(page: readonly SelectedRun[]): Promise<(Outcome | null)[]> {
    const outcomes: (Outcome | null)[] = page.map(() => null);
    const inFlight = new Set<Promise<void>>();
    for (const [index, run] of page.entries()) {
      await this.#pace.next();
      if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
      if (this.#isStopped) break;
      const replaying = this.#replay(run).then((outcome) => {
        outcomes[index] = outcome;
        inFlight.delete(replaying);
      });
      inFlight.add(replaying);
    }
    await Promise.all(inFlight);
    return outcomes;
  }

  /** Null: the job was stopped before the run was replayed. */
  async #replay(run: SelectedRun): Promise<Outcome | null> {
    try {
      const done = await this.#untilAvailable(async () => {
        await this.#options.replay(run, this.#claimed.job);
        return 'replayed' as const;
      });
      return done;
    } catch (error) {
      const { runId } = run;
      if (error instanceof AppError) {
        const { code, message } = error;
        return { kind: code === 'conflict' || code === 'not_found' ? 'skipped' : 'failed', error: { runId, code, message } };
      }
      this.#options.logger.error({ err: error, run_id: runId, job_id: this.#claimed.lease.id }, 'a run could not be replayed');
      return { kind: 'failed', error: { runId, code: 'internal', message: 'an internal error; the log has the details' } };
    }
  }

  /** Counts the runs at the beginning of the page that are done. */
  #add(page: readonly SelectedRun[], outcomes: readonly (Outcome | null)[]): void {
    const progress = { ...this.#progress };
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === null) break;
      progress.position = (page[index] as SelectedRun).runId;
      progress[outcome === 'replayed' ? outcome : outcome.kind] += 1;
      if (outcome !== 'replayed') progress.lastError = outcome.error;
    }
    this.#progress = progress;
  }

  /** Repeats what the server refuses for now, with growing pauses. Null: the job was stopped meanwhile. */
  async #untilAvailable<Result>(call: () => Promise<Result>): Promise<Result | null> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof AppError) || !PASSING.has(error.code)) throw error;
        await this.#pace.pause(pauseMs);
        if (this.#isStopped) return null;
      }
    }
  }

  async #record(status: 'running' | 'completed'): Promise<void> {
    const { storage, logger } = this.#options;
    const { lease } = this.#claimed;
    const isRecorded = await this.#untilAvailable(() => storage.recordJob(lease, status, this.#progress));
    if (isRecorded === false) this.#lose();
    const { replayed, failed, skipped } = this.#progress;
    if (isRecorded === true && status === 'completed') logger.info({ job_id: lease.id, replayed, failed, skipped }, 'job ended');
  }

  /** If it fails, the job is claimed once its lease is over. */
  async #release(): Promise<void> {
    const { storage, logger } = this.#options;
    const { lease } = this.#claimed;
    await storage.recordJob(lease, this.#keepsLease ? 'running' : 'queued', this.#progress).catch((error: unknown) => {
      logger.warn({ err: error, job_id: lease.id }, 'a job could not be released');
    });
  }
}
