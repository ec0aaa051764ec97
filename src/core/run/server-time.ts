// Server time: monotonic milliseconds since the epoch, across restarts too. All waits, expiries and ages use it. It starts
// as the wall clock; when that clock is set, a step records the difference, so that any time can be shown as wall time.

/** From `at` on, in server time, the wall clock is ahead by `aheadMs`; behind when that is negative. */
export interface ClockStep {
  at: number;
  aheadMs: number;
}

/** Returns the wall time, or its forecast if the clock is not set again. `steps` are ordered by `at`. */
export function toWallTime(steps: readonly ClockStep[], at: number): number {
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const step = steps[index] as ClockStep;
    if (step.at <= at) return at + step.aheadMs;
  }
  return at;
}

/** Returns the server time of a wall time: the first if it occurred twice, the time of the jump if it was skipped. */
export function fromWallTime(steps: readonly ClockStep[], wall: number): number {
  let since: ClockStep = { at: Number.NEGATIVE_INFINITY, aheadMs: 0 };
  for (const step of steps) {
    if (wall < step.at + since.aheadMs) break;
    since = step;
  }
  return Math.max(wall - since.aheadMs, since.at);
}

/**
 * Returns the server time of a start. The wall clock may have been set or corrected while the server was down: of its
 * possible meanings, the earliest one after `seenAt` counts. So a restart prolongs no
 * wait, and a corrected clock ages nothing.
 */
export function resumeServerTime(seenAt: number | null, steps: readonly ClockStep[], wall: number): number {
  if (seenAt === null) return wall;
  const meanings = [wall, wall - aheadOf(steps)].filter((at) => at >= seenAt);
  return meanings.length === 0 ? seenAt : Math.min(...meanings);
}

export function aheadOf(steps: readonly ClockStep[]): number {
  return steps.at(-1)?.aheadMs ?? 0;
}
