// The jobs of this process: creates and cancels them, claims those that are due, and carries out a few at a time.

import type { Clock } from '../clock.ts';
import type { ReplayMode, ReplayVersion } from '../core/run/replay.ts';
import { AppError } from '../errors.ts';
import type { DiskFloor } from '../files/disk-floor.ts';
import { newJobId } from '../ids.ts';
import { ClaimLoop, type LeasedWork } from '../leases/claim-loop.ts';
import { waitAtMost } from '../leases/wait-at-most.ts';
import type { Logger } from '../logger.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import { repeatUnknown } from '../repetition.ts';
import type { ClaimedJob, JobRecord, RunSelection, SelectedRun } from '../storage/job-records.ts';
import { MAX_OPEN_JOBS } from '../storage/job-store.ts';
import type { Storage, StorageNode } from '../storage/storage.ts';
import { JobRun } from './job-run.ts';
import type { Replayer } from './replayer.ts';

export interface ReplayJobsOptions {
  storage: Storage;
  replayer: Pick<Replayer, 'replay'>;
  node: StorageNode;
  disk: Pick<DiskFloor, 'refuseWhenLow'>;
  memory: Pick<MemoryBudget, 'bodies' | 'runs' | 'commits'>;
  logger: Logger;
}

export interface JobOrder {
  /** With times of the wall clock. */
  runs: Omit<RunSelection, 'upTo' | 'endedBy'>;
  mode: ReplayMode;
  version: ReplayVersion;
  ratePerSecond: number;
}

/** Jobs that are carried out at the same time; the others wait. */
const MAX_ACTIVE = 4;

export class ReplayJobs implements LeasedWork {
  readonly name = 'jobs';
  readonly #options: ReplayJobsOptions;
  readonly #clock: Clock;
  readonly #loop: ClaimLoop;
  /** By id. */
  readonly #active = new Map<string, { run: JobRun; ended: Promise<void> }>();
  #isStopped = false;

  constructor(options: ReplayJobsOptions) {
    const { node, logger } = options;
    this.#options = options;
    this.#clock = node.time.clock;
    this.#loop = new ClaimLoop(this, { clock: this.#clock, isAlone: node.isAlone, logger });
  }

  start(): Promise<void> {
    return this.#loop.claimNow();
  }

  /** Counts the runs that a job would select now. */
  async preview(runs: JobOrder['runs']): Promise<number> {
    return await this.#options.storage.countSelectedRuns(await this.#select(runs));
  }

  /** Rejects with `conflict` if too many jobs have not ended. */
  async create({ runs, ...order }: JobOrder): Promise<Pick<JobRecord, 'id' | 'matched'>> {
    const { storage } = this.#options;
    const selection = await this.#select(runs);
    const matched = await storage.countSelectedRuns(selection);
    const job = { id: newJobId(), action: 'replay' as const, ...order, runs: selection, matched, createdAt: this.#clock() };
    const isCreated = await storage.createJob(job).catch((error: unknown) => repeatUnknown(error, () => storage.createJob(job)));
    if (!isCreated) throw new AppError('conflict', `${MAX_OPEN_JOBS} jobs have not ended; cancel some, or wait until some have ended`);
    this.#loop.scheduleAt(this.#clock());
    return job;
  }

  /** Null: there is no such job. `cancelled: false`: it has ended already. */
  async cancel(id: string): Promise<{ cancelled: boolean } | null> {
    // Replays in flight are counted before the job ends.
    const active = this.#active.get(id);
    active?.run.halt();
    await active?.ended;
    return await this.#options.storage.cancelJob(id);
  }

  /** Begins no further replay. Waits for those in flight, at most so long, and releases the jobs. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopped = true;
    this.#loop.stop();
    for (const { run } of this.#active.values()) run.stop();
    await waitAtMost(timeoutMs, Promise.all([...this.#active.values()].map(({ ended }) => ended)));
  }

  async claim(): Promise<number> {
    const { storage } = this.#options;
    const next = (await storage.nextJobDue()) ?? Number.POSITIVE_INFINITY;
    if (next > this.#clock()) return next;
    const free = this.#isStopped ? 0 : MAX_ACTIVE - this.#active.size;
    // A due job that cannot be claimed now waits for the end of another one, which claims again.
    if (free <= 0) return Number.POSITIVE_INFINITY;
    for (const claimed of await storage.claimJobs(free)) this.#begin(claimed);
    return this.#clock();
  }

  async renew(): Promise<void> {
    await Promise.all([...this.#active.values()].map(({ run }) => run.renew()));
  }

  #begin(claimed: ClaimedJob): void {
    const { storage, logger } = this.#options;
    const { id } = claimed.lease;
    const earlier = this.#active.get(id);
    earlier?.run.stop();
    const run = new JobRun(claimed, { storage, replay: this.#replay, clock: this.#clock, logger });
    // After a sleep of the machine, this process may claim a job again that it still carries out.
    const ended = (earlier?.ended ?? Promise.resolve())
      .then(() => (this.#isStopped ? undefined : run.proceed()))
      .catch((error: unknown) => logger.error({ err: error, job_id: id }, 'a job failed; it goes on once its lease is over'))
      .finally(() => {
        if (this.#active.get(id)?.run === run) this.#active.delete(id);
        this.#loop.scheduleAt(this.#clock());
      });
    this.#active.set(id, { run, ended });
  }

  readonly #replay = async ({ runId, bytes }: SelectedRun, { id: jobId, mode, version }: ClaimedJob['job']): Promise<void> => {
    const { storage, replayer, disk, memory } = this.#options;
    disk.refuseWhenLow();
    if (isShort(memory)) throw new AppError('unavailable', 'the server is short of memory');
    memory.bodies.reserve(bytes);
    try {
      const run = await storage.getRun(runId);
      if (run === null) throw new AppError('not_found', 'the run was removed by retention');
      await replayer.replay(run, { mode, version, jobId });
    } finally {
      memory.bodies.release(bytes);
    }
  };

  async #select({ since, until, ...runs }: JobOrder['runs']): Promise<RunSelection> {
    const { storage, node } = this.#options;
    const endedBy = this.#clock();
    // Runs that have ended by then are on disk once it is done.
    await storage.ping();
    const [newest] = await storage.listRuns({ limit: 1 });
    const { fromWall } = node.time;
    const times = {
      ...(since === undefined ? {} : { since: fromWall(since) }),
      ...(until === undefined ? {} : { until: fromWall(until) }),
    };
    return { ...runs, ...times, upTo: newest?.id ?? null, endedBy };
  }
}

/** Triggers get the second half of the memory. */
function isShort({ bodies, runs, commits }: ReplayJobsOptions['memory']): boolean {
  return [bodies, runs, commits].some(({ available, limit }) => available < limit / 2);
}
