// Replaces the timers and clocks of the process by those of virtual time, and its randomness by that of the seed, while a
// history runs.

import type { Event, VirtualTime } from './virtual-time.ts';

type Callback = (...args: unknown[]) => void;

class VirtualTimer {
  event: Event | null = null;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

const REPLACED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const;

/** Runs the work with the timers and clocks of virtual time and the given randomness, and restores the real ones. */
export async function withVirtualTimers<Result>(time: VirtualTime, random: () => number, work: () => Promise<Result>): Promise<Result> {
  const real = Object.fromEntries(REPLACED.map((name) => [name, globalThis[name]]));
  const [dateNow, performanceNow, mathRandom] = [Date.now, performance.now, Math.random];
  Object.assign(globalThis, virtualTimers(time));
  Date.now = () => Math.floor(time.now);
  performance.now = () => time.now;
  Math.random = random;
  try {
    return await work();
  } finally {
    Object.assign(globalThis, real);
    Date.now = dateNow;
    performance.now = performanceNow;
    Math.random = mathRandom;
  }
}

function virtualTimers(time: VirtualTime): Record<(typeof REPLACED)[number], unknown> {
  const start = (delayMs: number, act: () => void): VirtualTimer => {
    const timer = new VirtualTimer();
    timer.event = time.schedule(delayMs, time.current, act);
    return timer;
  };
  const stop = (timer: VirtualTimer | undefined): void => {
    if (timer?.event != null) timer.event.isCancelled = true;
  };
  const repeat = (timer: VirtualTimer, delayMs: number, act: () => void): void => {
    timer.event = time.schedule(delayMs, time.current, () => {
      repeat(timer, delayMs, act);
      act();
    });
  };
  return {
    setTimeout: (act: Callback, delayMs = 1, ...args: unknown[]) => start(Math.max(1, delayMs), () => act(...args)),
    clearTimeout: stop,
    setInterval(act: Callback, delayMs = 1, ...args: unknown[]) {
      const timer = new VirtualTimer();
      repeat(timer, Math.max(1, delayMs), () => act(...args));
      return timer;
    },
    clearInterval: stop,
    setImmediate: (act: Callback, ...args: unknown[]) => start(0, () => act(...args)),
    clearImmediate: stop,
  };
}
