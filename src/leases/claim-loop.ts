// Claims due work of one kind, and renews its leases. Runs have one such loop, deliveries another.

import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { DueTimer } from './due-timer.ts';

/** Work of one kind, as its owner claims and renews it. */
export interface LeasedWork {
  /** In the plural, for the log. */
  readonly name: string;
  /** Claims due work. Returns when to claim again, in ms; infinite if nothing is scheduled. */
  claim(): Promise<number>;
  /** Renews the leases of claimed work. */
  renew(): Promise<void>;
}

export interface ClaimLoopOptions {
  clock: Clock;
  /** No other process makes work due. */
  isAlone: boolean;
  logger: Logger;
  /** Called with each claim and each renewal that the loop begins by itself. They never reject. */
  track?: (work: Promise<void>) => void;
}

const RENEW_EVERY_MS = 5000;
/** Other processes may make work due without a hint. */
const LOOK_EVERY_MS = 1000;
/** Delay after a claim that failed: the database is locked, or its disk is full. */
const RETRY_MS = 500;

export class ClaimLoop {
  readonly #work: LeasedWork;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timer: DueTimer;
  readonly #renewals: NodeJS.Timeout;
  readonly #isAlone: boolean;
  #renewedAt: number;
  #isStopped = false;
  #isClaiming = false;
  /** Another claim was asked for during a claim. */
  #isWanted = false;

  /** Renews from now on; claims only when asked. */
  constructor(work: LeasedWork, { clock, isAlone, logger, track = () => undefined }: ClaimLoopOptions) {
    this.#isAlone = isAlone;
    this.#work = work;
    this.#clock = clock;
    this.#logger = logger;
    this.#renewedAt = clock();
    this.#timer = new DueTimer(clock, () => track(this.claimNow()));
    this.#renewals = setInterval(() => track(this.#renewOrLog()), RENEW_EVERY_MS);
  }

  /** Claims no later than `at`. */
  scheduleAt(at: number): void {
    this.#timer.scheduleAt(at);
  }

  /** Never rejects: a claim that fails is logged and repeated. */
  async claimNow(): Promise<void> {
    this.#isWanted = true;
    if (this.#isClaiming) return;
    this.#isClaiming = true;
    try {
      while (this.#isWanted && !this.#isStopped) {
        this.#isWanted = false;
        const next = await this.#claim();
        this.scheduleAt(this.#isAlone ? next : Math.min(next, this.#clock() + LOOK_EVERY_MS));
      }
    } catch (error) {
      this.#logger.warn({ err: error }, `due ${this.#work.name} could not be claimed; trying again`);
      this.scheduleAt(this.#clock() + RETRY_MS);
    } finally {
      this.#isClaiming = false;
    }
  }

  /** Begins no further claim or renewal. A claim in flight runs to its end. */
  stop(): void {
    this.#isStopped = true;
    this.#timer.stop();
    clearInterval(this.#renewals);
  }

  async #claim(): Promise<number> {
    // After a sleep of the machine, or a long lock, claimed work must not look abandoned.
    if (this.#clock() - this.#renewedAt > 2 * RENEW_EVERY_MS) await this.#renew();
    return await this.#work.claim();
  }

  async #renew(): Promise<void> {
    const now = this.#clock();
    await this.#work.renew();
    this.#renewedAt = now;
  }

  async #renewOrLog(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      this.#logger.warn({ err: error }, `the leases of ${this.#work.name} could not be renewed; trying again`);
    }
  }
}
