// The scheduled times of a cron expression in a time zone. croner decides them: a time that names its minute and hour comes once
// when the clocks change, after the gap or at its first pass; any other time follows the clock of the zone.

import { Cron, type CronOptions } from 'croner';

const OPTIONS: CronOptions = { mode: '5-part', fixedTimeRule: 'no-wildcard' };
const SECOND_MS = 1000;

export class CronTimes {
  readonly #cron: Cron;

  /** Throws for an expression or a zone with a fault (cron-faults.ts). */
  constructor(cron: string, timeZone: string) {
    this.#cron = new Cron(cron, { ...OPTIONS, timezone: timeZone });
  }

  /** Returns the first time after `at`, in ms since the epoch. Null: there is none. */
  after(at: number): number | null {
    return this.#cron.nextRun(new Date(at))?.getTime() ?? null;
  }

  /** Returns the last `limit` times up to `at`, oldest first. */
  upTo(at: number, limit: number): number[] {
    // croner excludes the second that it is given.
    const following = Math.floor(at / SECOND_MS) * SECOND_MS + SECOND_MS;
    const times = this.#cron.previousRuns(limit, new Date(following)).map((time) => time.getTime());
    return times.reverse();
  }
}
