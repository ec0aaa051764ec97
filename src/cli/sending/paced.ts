// Starts tasks by the clock: each when it is due, whether those before it have ended or not, so that a rate holds
// however long they take, as long as not too many are under way.

export interface Pace {
  count: number;
  /** A second; null starts the next as soon as there is room. */
  rate: number | null;
  /** So many are under way at a time at most. */
  atOnce: number;
  /** Nothing is started any more once this is aborted. */
  stop: AbortSignal;
}

/** Resolves when all that were started have ended, to the most that one began late. `task` never rejects. */
export async function runPaced({ count, rate, atOnce, stop }: Pace, task: (index: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  let underWay = 0;
  let onEnd: () => void = () => undefined;
  let lateMs = 0;
  const oneEnds = (): Promise<void> =>
    new Promise((resolve) => {
      onEnd = resolve;
    });
  for (let index = 0; index < count && !stop.aborted; index += 1) {
    const due = rate === null ? start : start + (index * 1000) / rate;
    await sleepUntil(due, stop);
    if (underWay >= atOnce) await oneEnds();
    if (stop.aborted) break;
    if (rate !== null) lateMs = Math.max(lateMs, performance.now() - due);
    underWay += 1;
    void task(index).then(() => {
      underWay -= 1;
      onEnd();
    });
  }
  while (underWay > 0) await oneEnds();
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
