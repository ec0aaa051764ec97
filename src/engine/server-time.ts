// Keeps server time: it follows elapsed time, is recorded for the next start, and notices when the machine slept or the
// wall clock was set.

import type { Clock, MachineClocks } from '../clock.ts';
import { aheadOf, type ClockStep, fromWallTime, resumeServerTime, toWallTime } from '../core/run/server-time.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ServerTimeStore } from '../storage/server-time-store.ts';

export interface ServerTime {
  /** Server time. It jumps only over a sleep of the machine. */
  readonly clock: Clock;
  readonly toWall: (at: number) => number;
  readonly fromWall: (wall: number) => number;
  /** Before this time the wall clock may be wrong, and nothing may be removed by age. */
  readonly settlesAt: () => number;
  /** Records server time, and stops. */
  close(): Promise<void>;
}

export interface ServerTimeOptions {
  storage: ServerTimeStore;
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

export async function startServerTime({ storage, clocks, logger }: ServerTimeOptions): Promise<ServerTime> {
  const past = await storage.readServerTime();
  const { steps } = past;
  const start = resumeServerTime(past.seenAt, steps, clocks.wall());
  const elapsedAtStart = clocks.elapsedMs();
  const sleepSinceLook = watchSleep(clocks);
  let sleptMs = 0;
  let settlesAt = 0;
  let notedAt = Number.NEGATIVE_INFINITY;
  let unsaved: ClockStep[] = [];
  let saving: Promise<void> | null = null;

  const clock: Clock = () => start + Math.floor(clocks.elapsedMs() - elapsedAtStart + sleptMs);
  const toWall = (at: number): number => toWallTime(steps, at);
  const partedMs = (): number => clocks.wall() - toWall(clock());

  function noticeSleep(): void {
    const slept = sleepSinceLook();
    if (slept === 0) return;
    sleptMs += slept;
    logger.info({ seconds: Math.round(slept / 1000) }, 'the machine slept; what fell due meanwhile is done now');
  }

  function noticeStep(): void {
    const parted = partedMs();
    // A pause of the process between two readings looks the same, but does not last.
    if (Math.abs(parted) <= LEAST_STEP_MS || Math.abs(partedMs() - parted) > LEAST_STEP_MS) return;
    const now = clock();
    const step = { at: now, aheadMs: aheadOf(steps) + parted };
    steps.push(step);
    if (steps.length > MAX_STEPS) steps.shift();
    unsaved.push(step);
    settlesAt = now + SETTLE_MS;
    logger.warn(
      { by_seconds: Math.round(parted / 1000), nothing_removed_for_its_age_until: new Date(clocks.wall() + SETTLE_MS).toISOString() },
      `the wall clock was set ${parted > 0 ? 'forward' : 'back'}: what waits, expires or ages goes on by the time that passes`,
    );
  }

  async function save(): Promise<void> {
    const news = unsaved;
    unsaved = [];
    notedAt = clock();
    try {
      await storage.recordServerTime(notedAt, news);
    } catch (error) {
      unsaved = [...news, ...unsaved];
      // The part that ends the server logs the reason.
      if (error instanceof AppError) logger.warn({ reason: error.message }, 'the time of the server could not be noted; trying again');
    }
    saving = null;
  }

  function look(): void {
    noticeSleep();
    noticeStep();
    if (unsaved.length > 0 || clock() - notedAt >= NOTE_EVERY_MS) saving ??= save();
  }

  if (past.seenAt !== null && start - past.seenAt > LONG_DOWNTIME_MS) {
    settlesAt = start + SETTLE_MS;
    logger.info(
      { down_for_seconds: Math.round((start - past.seenAt) / 1000) },
      'the server was down for more than a day, by its clock: nothing is removed for its age in the first hour',
    );
  }
  look();
  const timer = setInterval(look, LOOK_EVERY_MS).unref();

  return {
    clock,
    toWall,
    fromWall: (wall) => fromWallTime(steps, wall),
    settlesAt: () => settlesAt,
    async close() {
      clearInterval(timer);
      await saving;
      await save();
    },
  };
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
