// Starts tasks at a fixed rate, whether earlier ones have ended or not, up to a limit of concurrent tasks.

export interface Pace {
  count: number;
  /** Tasks per second; null starts the next as soon as the limit allows. */
  rate: number | null;
  /** The largest number of concurrent tasks. */
  maxConcurrent: number;
  /** Stops starting tasks when aborted. */
  stop: AbortSignal;
}

/** Resolves when all started tasks have ended, to the largest delay of a start in ms. `task` must not reject. */
export async function runPaced({ count, rate, maxConcurrent, stop }: Pace, task: (index: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  let running = 0;
  let onEnd: () => void = () => undefined;
  let lateMs = 0;
  const oneEnds = (): Promise<void> =>
    new Promise((resolve) => {
      onEnd = resolve;
    });
  for (let index = 0; index < count && !stop.aborted; index += 1) {
    const due = rate === null ? start : start + (index * 1000) / rate;
    await sleepUntil(due, stop);
    if (running >= maxConcurrent) await oneEnds();
    if (stop.aborted) break;
    if (rate !== null) lateMs = Math.max(lateMs, performance.now() - due);
    running += 1;
    void task(index).then(() => {
      running -= 1;
      onEnd();
    });
  }
  while (running > 0) await oneEnds();
  return lateMs;
}

/** Resolves early when the signal is aborted. */
async function sleepUntil(due: number, stop: AbortSignal): Promise<void> {
  const wait = due - performance.now();
  if (wait <= 0 || stop.aborted) return;
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, wait);
    stop.addEventListener('abort', wake, { once: true });
  });
}
