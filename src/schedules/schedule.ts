// One schedule in memory: the times that wait to be started, and how far times are planned and handled.

import { CronTimes } from '../core/schedule/cron-times.ts';
import { type DueTimes, dueTimes, LATE_MS, MAX_CATCH_UP } from '../core/schedule/due-times.ts';
import type { ScheduleSetting } from '../core/sink/schedule-setting.ts';
import type { ScheduleMove, ScheduleState } from '../storage/schedule-store.ts';

/** All times are wall times in ms. */
export class Schedule {
  readonly sinkId: string;
  setting: ScheduleSetting;
  /** Null: no further time comes. */
  nextAt: number | null;
  /** The latest scheduled time that started a run. */
  lastAt: number | null;
  /** The last refusal, which is counted on if the next one is alike. */
  refusal: { message: string; position: number } | null = null;
  readonly #cron: CronTimes;
  /** Due times that have not started, oldest first. */
  #waiting: number[] = [];
  /** Null: the last try succeeded. */
  #retryAt: number | null = null;
  #plannedTo: number;
  /** `handledTo` as it is stored. */
  #storedTo: number;
  #hasGoneBack = false;

  constructor(setting: ScheduleSetting, { sinkId, handledTo, lastAt }: ScheduleState) {
    this.sinkId = sinkId;
    this.setting = setting;
    this.lastAt = lastAt;
    this.#cron = new CronTimes(setting.cron, setting.timeZone);
    this.#plannedTo = handledTo;
    this.#storedTo = handledTo;
    this.nextAt = this.#cron.after(handledTo);
  }

  /** The oldest time that waits; null for none, and until a retry is due. `elapsed` is monotonic. */
  readyAt(elapsed: number): number | null {
    return (this.#retryAt ?? elapsed) > elapsed ? null : (this.#waiting[0] ?? null);
  }

  hasTimes(setting: ScheduleSetting): boolean {
    return this.setting.cron === setting.cron && this.setting.timeZone === setting.timeZone;
  }

  /**
   * If the wall clock was set back, times are planned again, from a minute ago: the clock may have passed one since it was
   * set. Those that started a run are known by their key. Returns whether it was set back.
   */
  goBack(now: number): boolean {
    if (this.#plannedTo <= now + LATE_MS) return false;
    this.#waiting = this.#waiting.filter((at) => at <= now);
    this.#plannedTo = now - LATE_MS;
    this.#hasGoneBack = true;
    this.nextAt = this.#cron.after(this.#plannedTo);
    return true;
  }

  /** Adds the due times to those that wait. Returns them, and how many are left out. */
  plan(now: number): DueTimes {
    const due = dueTimes(this.#cron, this.setting.catchUp, this.#plannedTo, now);
    this.#plannedTo = due.handledTo;
    this.nextAt = this.#cron.after(due.handledTo);
    this.#waiting.push(...due.times);
    const excess = this.#waiting.splice(0, Math.max(0, this.#waiting.length - MAX_CATCH_UP));
    return { ...due, leftOut: due.leftOut + excess.length };
  }

  /** What to store once the oldest waiting time is handled; null if that is stored already. */
  moveTo(at: number, hasStarted: boolean): ScheduleMove | null {
    // Another process may be ahead.
    if (at <= this.#storedTo && !this.#hasGoneBack) return null;
    const { name } = this.setting;
    return { sinkId: this.sinkId, name, from: this.#storedTo, to: at, lastAt: hasStarted ? at : null };
  }

  /** The time is handled. `state` is the stored one, if it was moved. */
  finish(at: number, hasStarted: boolean, state: ScheduleState | null): void {
    this.#retryAt = null;
    this.#waiting = this.#waiting.filter((other) => other !== at);
    if (hasStarted) this.lastAt = at;
    if (state === null) return;
    this.#storedTo = state.handledTo;
    this.#hasGoneBack = false;
  }

  /** Returns whether the try before this one succeeded. */
  retryAt(elapsed: number): boolean {
    const isFirst = this.#retryAt === null;
    this.#retryAt = elapsed;
    return isFirst;
  }
}
