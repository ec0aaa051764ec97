// Starts runs of sinks at the times of their schedules. Each process plans all times: the idempotency key of a time makes its run
// one, whichever process is first and whatever is repeated after a crash.

import type { Clock, MachineClocks } from '../clock.ts';
import { CronTimes } from '../core/schedule/cron-times.ts';
import { LATE_MS, MAX_CATCH_UP } from '../core/schedule/due-times.ts';
import type { ScheduleSetting } from '../core/sink/schedule-setting.ts';
import type { Sink } from '../core/sink/sink.ts';
import type { Catalog } from '../definitions/catalog.ts';
import type { Engine } from '../engine/engine.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RejectionChange } from '../storage/refusals/rejection-store.ts';
import type { Storage } from '../storage/storage.ts';
import { Schedule } from './schedule.ts';
import { scheduledTrigger } from './scheduled-trigger.ts';

export interface SchedulerOptions {
  storage: Pick<Storage, 'listSchedules' | 'moveSchedule' | 'recordRejections'>;
  catalog: Pick<Catalog, 'current' | 'findSink' | 'onChange' | 'workflowOf'>;
  engine: Pick<Engine, 'dispatch'>;
  /** Throws `unavailable` while the disk is low. */
  refuseWhenLow: () => void;
  /** Server time. */
  clock: Clock;
  clocks: Pick<MachineClocks, 'wall' | 'elapsedMs'>;
  logger: Logger;
}

/** When a schedule starts its next run, and the scheduled time of its last one, in wall time. */
export interface ScheduleTimes {
  nextAt: number | null;
  lastAt: number | null;
}

/** No timer runs longer before it looks at the wall clock, which may be set. */
const LONGEST_TIMER_MS = 1000;
/** Delay before a time is tried again that the server could not start. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
/** Times of different schedules that are started together. */
const AT_ONCE = 16;

export class Scheduler {
  readonly #options: SchedulerOptions;
  /** By sink and name. */
  #schedules = new Map<string, Schedule>();
  #timer: NodeJS.Timeout | undefined;
  #reloadTimer: NodeJS.Timeout | undefined;
  #loading: Promise<void> = Promise.resolve();
  #starting: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Loads the schedules, and follows their definitions. Without schedules nothing wakes the process. */
  async start(): Promise<void> {
    this.#options.catalog.onChange(() => void this.#load());
    await this.#load();
  }

  /** Starts nothing further. Resolves when the times that are being started are handled. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#loading;
    clearTimeout(this.#reloadTimer);
    await this.#starting;
  }

  timesOf(sink: Pick<Sink, 'id'>, setting: ScheduleSetting): ScheduleTimes {
    const schedule = this.#schedules.get(keyOf(sink.id, setting));
    if (schedule?.hasTimes(setting) === true) return schedule;
    // It was changed a moment ago, and is not loaded yet.
    const nextAt = new CronTimes(setting.cron, setting.timeZone).after(this.#options.clocks.wall());
    return { nextAt, lastAt: schedule?.lastAt ?? null };
  }

  #load(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#loadOrRetry());
    return this.#loading;
  }

  async #loadOrRetry(): Promise<void> {
    if (this.#isStopped) return;
    try {
      this.#schedules = await this.#read();
      this.#look();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the schedules could not be read; trying again');
      this.#reloadTimer = setTimeout(() => void this.#load(), RETRY_MS);
    }
  }

  async #read(): Promise<Map<string, Schedule>> {
    const { storage, catalog } = this.#options;
    const schedules = new Map<string, Schedule>();
    const sinks = catalog.current().sinks.filter((sink) => sink.schedules !== undefined);
    if (sinks.length === 0) return schedules;
    const states = new Map((await storage.listSchedules()).map((state) => [keyOf(state.sinkId, state), state]));
    for (const { id, schedules: settings = [] } of sinks) {
      for (const setting of settings) {
        const key = keyOf(id, setting);
        const state = states.get(key);
        // A later edit is on its way to the catalog.
        if (state?.cron !== setting.cron || state.timeZone !== setting.timeZone) continue;
        const known = this.#schedules.get(key);
        if (known?.hasTimes(setting) === true) known.setting = setting;
        schedules.set(key, known?.hasTimes(setting) === true ? known : new Schedule(setting, state));
      }
    }
    return schedules;
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isStopped || this.#schedules.size === 0) return;
    const now = this.#options.clocks.wall();
    let earliest = now + LONGEST_TIMER_MS;
    for (const schedule of this.#schedules.values()) {
      if (schedule.goBack(now)) this.#log(schedule, {}, 'the wall clock was set back: the schedule goes on from the new time');
      if (schedule.nextAt !== null && schedule.nextAt <= now) this.#plan(schedule, now);
      if (schedule.nextAt !== null) earliest = Math.min(earliest, schedule.nextAt);
    }
    this.#starting ??= this.#startWaiting().finally(() => {
      this.#starting = null;
    });
    this.#timer = setTimeout(() => this.#look(), Math.max(0, earliest - now));
  }

  #plan(schedule: Schedule, now: number): void {
    const { times, leftOut, isMore } = schedule.plan(now);
    const [first] = times;
    const isLate = first !== undefined && now - first > LATE_MS;
    if (leftOut === 0 && !isLate) return;
    const { catchUp } = schedule.setting;
    const count = isMore ? `more than ${leftOut}` : leftOut;
    this.#log(schedule, { catch_up: catchUp, caught_up: times.length, left_out: count }, 'scheduled times were missed');
    if (catchUp !== 'all' || leftOut === 0) return;
    const message = `${count} missed times were left out: at most ${MAX_CATCH_UP} are caught up`;
    this.#reject(schedule, { status: 503, code: 'missed', reason: 'missed', message }).catch((error: unknown) =>
      this.#warn(schedule, error),
    );
  }

  async #startWaiting(): Promise<void> {
    while (!this.#isStopped) {
      const elapsed = this.#options.clocks.elapsedMs();
      const ready: { schedule: Schedule; at: number }[] = [];
      for (const schedule of this.#schedules.values()) {
        const at = schedule.readyAt(elapsed);
        if (at !== null) ready.push({ schedule, at });
      }
      if (ready.length === 0) return;
      const oldest = ready.sort((a, b) => a.at - b.at).slice(0, AT_ONCE);
      await Promise.all(oldest.map(({ schedule, at }) => this.#start(schedule, at)));
    }
  }

  /** Never rejects. Repeating it is safe: the run has a key, and the move a state that it was planned on. */
  async #start(schedule: Schedule, at: number): Promise<void> {
    try {
      const hasStarted = await this.#trigger(schedule, at);
      const move = schedule.moveTo(at, hasStarted);
      schedule.finish(at, hasStarted, move === null ? null : await this.#options.storage.moveSchedule(move));
    } catch (error) {
      const wished = error instanceof AppError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      const delayMs = Math.min(Math.max(wished, RETRY_MS), MAX_RETRY_MS);
      const isNews = schedule.retryAt(this.#options.clocks.elapsedMs() + delayMs);
      if (isNews && !this.#isStopped) this.#warn(schedule, error);
    }
  }

  /** False: the sink refuses what the schedule sends, and would again, or is deleted. Rejects if another try may help. */
  async #trigger(schedule: Schedule, at: number): Promise<boolean> {
    const { catalog, engine, clocks, refuseWhenLow } = this.#options;
    const sink = catalog.findSink(schedule.sinkId);
    if (sink === undefined) return false;
    refuseWhenLow();
    try {
      await engine.dispatch(scheduledTrigger(sink, catalog.workflowOf(sink), schedule.setting, { at, now: clocks.wall() }));
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || (error.code !== 'unprocessable' && error.code !== 'invalid')) throw error;
      const { code, message } = error;
      const [status, reason] = code === 'invalid' ? ([400, 'malformed'] as const) : ([422, 'unfit_input'] as const);
      await this.#reject(schedule, { status, code, reason, message });
      return false;
    }
  }

  async #reject(schedule: Schedule, { message, ...refusal }: Refusal): Promise<void> {
    const { storage, catalog, clock } = this.#options;
    const sink = catalog.findSink(schedule.sinkId);
    if (sink === undefined) return;
    const { id: sinkId, appId, method, path } = sink;
    const text = `schedule "${schedule.setting.name}": ${message}`.slice(0, MAX_MESSAGE);
    const now = clock();
    const entry = { sinkId, appId, method, path: `/${appId}${path}`, ...refusal, message: text, clientIp: '', folded: null };
    const earlier = schedule.refusal?.message === text ? schedule.refusal.position : null;
    const change = { ...entry, position: earlier, count: 1, firstAt: now, lastAt: now };
    const [position = 0] = await storage.recordRejections([change]);
    schedule.refusal = { message: text, position };
  }

  #log({ sinkId, setting }: Schedule, fields: object, message: string): void {
    this.#options.logger.info({ sink_id: sinkId, schedule: setting.name, ...fields }, message);
  }

  #warn({ sinkId, setting }: Schedule, error: unknown): void {
    const reason = error instanceof AppError ? { reason: error.message } : { err: error };
    this.#options.logger.warn(
      { sink_id: sinkId, schedule: setting.name, ...reason },
      'a scheduled time could not be handled; trying again',
    );
  }
}

type Refusal = Pick<RejectionChange, 'status' | 'code' | 'reason' | 'message'>;

/** The limit of stored rejections. */
const MAX_MESSAGE = 512;

function keyOf(sinkId: string, { name }: { name: string }): string {
  return `${sinkId} ${name}`;
}
