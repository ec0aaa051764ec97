// Decides which scheduled times start a run now. Times are missed while the server is stopped, or skipped when the wall clock is
// set forward; the catch-up rule of the schedule selects those of them that start late.

import type { CronTimes } from './cron-times.ts';

export const CATCH_UPS = ['skip', 'last', 'all'] as const;
/** `skip`: none that is late. `last`: the latest. `all`: each, up to MAX_CATCH_UP. */
export type CatchUp = (typeof CATCH_UPS)[number];

export const MAX_CATCH_UP = 1000;
/** A time that is no later than this is not missed: a quick restart loses nothing. */
export const LATE_MS = 60_000;
/** Each counted time costs 0.1 ms. */
const MAX_COUNTED: Readonly<Record<CatchUp, number>> = { skip: 100, last: 100, all: 3000 };

export interface DueTimes {
  /** Times that start a run, oldest first. */
  times: number[];
  /** The number of due times that start none. */
  leftOut: number;
  /** More were left out than were counted. */
  isMore: boolean;
  /** The latest due time; the start of the search if none is due. */
  handledTo: number;
}

/** Returns the times that are due after `handledTo` and up to `now`, in wall time. */
export function dueTimes(cron: CronTimes, catchUp: CatchUp, handledTo: number, now: number): DueTimes {
  const limit = MAX_COUNTED[catchUp];
  const due = firstTimes(cron, handledTo, now, limit + 1);
  const last = due.at(-1);
  if (last === undefined) return { times: [], leftOut: 0, isMore: false, handledTo };
  if (due.length <= limit) {
    const times = caughtUp(due, catchUp, now);
    return { times, leftOut: due.length - times.length, isMore: false, handledTo: last };
  }
  // A search back from now is short: more times are due than it looks for.
  const latest = cron.upTo(now, MAX_CAUGHT_UP[catchUp]);
  const times = caughtUp(latest, catchUp, now);
  return { times, leftOut: limit - times.length, isMore: true, handledTo: latest.at(-1) ?? last };
}

/** The times of a minute, at most, are not too late for `skip`. */
const MAX_CAUGHT_UP: Readonly<Record<CatchUp, number>> = { skip: 2, last: 1, all: MAX_CATCH_UP };

function firstTimes(cron: CronTimes, after: number, now: number, limit: number): number[] {
  const times: number[] = [];
  for (let at = cron.after(after); at !== null && at <= now && times.length < limit; at = cron.after(at)) times.push(at);
  return times;
}

function caughtUp(due: number[], catchUp: CatchUp, now: number): number[] {
  switch (catchUp) {
    case 'skip':
      return due.filter((at) => now - at <= LATE_MS);
    case 'last':
      return due.slice(-1);
    case 'all':
      return due.slice(-MAX_CATCH_UP);
  }
}
