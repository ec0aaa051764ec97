// What a part of the bench starts or makes is stopped or removed when it ends, last first, however it ends.

export type OnEnd = (cleanup: () => Promise<void> | void) => void;

export async function withCleanups<Result>(work: (onEnd: OnEnd) => Promise<Result>): Promise<Result> {
  const cleanups: (() => Promise<void> | void)[] = [];
  try {
    return await work((cleanup) => void cleanups.push(cleanup));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}
