// Waits for work with a limit on the time.

/** Resolves when `work` resolves, or after `timeoutMs`. Rejects only with `work`, and before the time is up. */
export async function waitAtMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeIsUp]).finally(() => clearTimeout(timer));
}
