// Server time: milliseconds since the epoch that only ever grow by the time that passes, across restarts too. Everything
// that waits, expires or ages goes by it. It begins with the wall clock, and where somebody sets that one, a step says
// how far the two have parted since, so that any moment can still be shown as the wall clock showed it.

/** From `at` on, in server time, the wall clock is ahead by `aheadMs`; behind where that is negative. */
export interface ClockStep {
  at: number;
  aheadMs: number;
}

/** What the wall clock showed, or will show unless it is set again. `steps` in order of `at`. */
export function toWallTime(steps: readonly ClockStep[], at: number): number {
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const step = steps[index] as ClockStep;
    if (step.at <= at) return at + step.aheadMs;
  }
  return at;
}

/** When the wall clock showed it: the first time, where it did so twice, and when it was set past it, where it never did. */
export function fromWallTime(steps: readonly ClockStep[], wall: number): number {
  let since: ClockStep = { at: Number.NEGATIVE_INFINITY, aheadMs: 0 };
  for (const step of steps) {
    if (wall < step.at + since.aheadMs) break;
    since = step;
  }
  return Math.max(wall - since.aheadMs, since.at);
}

/**
 * The server time of a start. While the server was down only the wall clock went on, and somebody may have set it, back or
 * right: of what it can mean, the least time since `seenAt` is taken. So nothing waits longer for a restart, and nothing
 * grows old by a clock that was put right.
 */
export function resumeServerTime(seenAt: number | null, steps: readonly ClockStep[], wall: number): number {
  if (seenAt === null) return wall;
  const meanings = [wall, wall - aheadOf(steps)].filter((at) => at >= seenAt);
  return meanings.length === 0 ? seenAt : Math.min(...meanings);
}

/** How far the wall clock is ahead now. */
export function aheadOf(steps: readonly ClockStep[]): number {
  return steps.at(-1)?.aheadMs ?? 0;
}
