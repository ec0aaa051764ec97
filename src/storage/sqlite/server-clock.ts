// Keeps server time: it follows elapsed time, is recorded for the next start, and notices when the machine slept or the
// wall clock was set.

import type { Clock, MachineClocks } from '../../clock.ts';
import { aheadOf, type ClockStep, fromWallTime, resumeServerTime, toWallTime } from '../../core/run/server-time.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { StorageTime } from '../storage.ts';
import type { RecordedTime } from './server-time.ts';

export interface ServerTimeOptions {
  recorded: RecordedTime;
  /** Records the current server time and the steps of the wall clock since the last record. */
  record: (seenAt: number, steps: readonly ClockStep[]) => Promise<void>;
  clocks: MachineClocks;
  logger: Logger;
}

const LOOK_EVERY_MS = 1000;
const NOTE_EVERY_MS = 60_000;
/** A smaller step of the wall clock is neither corrected nor logged. */
const LEAST_STEP_MS = 1000;
/** Two coarse readings may differ this much without a sleep. */
const LEAST_SLEEP_MS = 2500;
/** Time for an operator, or NTP, to correct a wrong clock. */
const SETTLE_MS = 3_600_000;
/** A longer downtime may also be a wrong clock. */
const LONG_DOWNTIME_MS = 86_400_000;
const MAX_STEPS = 1000;

export class ServerTime implements StorageTime {
  readonly #record: ServerTimeOptions['record'];
  readonly #clocks: MachineClocks;
  readonly #logger: Logger;
  readonly #start: number;
  readonly #elapsedAtStart: number;
  readonly #steps: ClockStep[];
  readonly #sleepSinceLook: () => number;
  readonly #timer: NodeJS.Timeout;
  #sleptMs = 0;
  #settlesAt = 0;
  #notedAt = Number.NEGATIVE_INFINITY;
  #unsaved: ClockStep[] = [];
  #saving: Promise<void> | null = null;

  constructor({ recorded: { seenAt, steps }, record, clocks, logger }: ServerTimeOptions) {
    this.#record = record;
    this.#clocks = clocks;
    this.#logger = logger;
    this.#steps = steps;
    this.#start = resumeServerTime(seenAt, steps, clocks.wall());
    this.#elapsedAtStart = clocks.elapsedMs();
    this.#sleepSinceLook = watchSleep(clocks);
    if (seenAt !== null) this.#noticeDowntime(this.#start - seenAt);
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Server time, in ms. It jumps only over a sleep of the machine. */
  readonly clock: Clock = () => this.#start + Math.floor(this.#clocks.elapsedMs() - this.#elapsedAtStart + this.#sleptMs);
  readonly toWall = (at: number): number => toWallTime(this.#steps, at);
  readonly fromWall = (wall: number): number => fromWallTime(this.#steps, wall);
  /** Before this time the wall clock may be wrong, and nothing may be removed by age. */
  readonly settlesAt = (): number => this.#settlesAt;

  /** Stops, and records server time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    await this.#save();
  }

  #look(): void {
    this.#noticeSleep();
    this.#noticeStep();
    if (this.#unsaved.length > 0 || this.clock() - this.#notedAt >= NOTE_EVERY_MS) this.#saving ??= this.#save();
  }

  #noticeDowntime(ms: number): void {
    if (ms <= LONG_DOWNTIME_MS) return;
    this.#settlesAt = this.#start + SETTLE_MS;
    this.#logger.info(
      { down_for_seconds: Math.round(ms / 1000) },
      'the server was down for more than a day, by its clock: nothing is removed for its age in the first hour',
    );
  }

  #noticeSleep(): void {
    const slept = this.#sleepSinceLook();
    if (slept === 0) return;
    this.#sleptMs += slept;
    this.#logger.info({ seconds: Math.round(slept / 1000) }, 'the machine slept; what fell due meanwhile is done now');
  }

  #noticeStep(): void {
    const parted = this.#partedMs();
    // A pause of the process between two readings looks the same, but does not last.
    if (Math.abs(parted) <= LEAST_STEP_MS || Math.abs(this.#partedMs() - parted) > LEAST_STEP_MS) return;
    const now = this.clock();
    const step = { at: now, aheadMs: aheadOf(this.#steps) + parted };
    this.#steps.push(step);
    if (this.#steps.length > MAX_STEPS) this.#steps.shift();
    this.#unsaved.push(step);
    this.#settlesAt = now + SETTLE_MS;
    this.#logger.warn(
      { by_seconds: Math.round(parted / 1000), nothing_removed_for_its_age_until: new Date(this.#clocks.wall() + SETTLE_MS).toISOString() },
      `the wall clock was set ${parted > 0 ? 'forward' : 'back'}: waits, expiries and ages follow elapsed time`,
    );
  }

  /** How far the wall clock is ahead of the wall time that server time predicts. */
  #partedMs(): number {
    return this.#clocks.wall() - this.toWall(this.clock());
  }

  async #save(): Promise<void> {
    const news = this.#unsaved;
    this.#unsaved = [];
    this.#notedAt = this.clock();
    try {
      await this.#record(this.#notedAt, news);
    } catch (error) {
      this.#unsaved = [...news, ...this.#unsaved];
      // The part that ends the server logs the reason.
      if (error instanceof AppError) this.#logger.warn({ reason: error.message }, 'server time could not be recorded; trying again');
    }
    this.#saving = null;
  }
}

/** Returns how long the machine has slept since the last call, in ms. */
function watchSleep({ elapsedMs, uptimeMs }: MachineClocks): () => number {
  let differenceMs = uptimeMs() - elapsedMs();
  return () => {
    const before = differenceMs;
    differenceMs = uptimeMs() - elapsedMs();
    return differenceMs - before < LEAST_SLEEP_MS ? 0 : differenceMs - before;
  };
}
