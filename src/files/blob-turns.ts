// Keeps the giving of a name and the removal of a blob apart, so that a sweep never removes what was received again after
// it looked. One process has the directory, so that this can be told in memory.

export interface BlobTurns {
  /** Does what makes the blob young, once nobody removes it any more. */
  keep<Result>(sha256: string, work: () => Promise<Result>): Promise<Result>;
  /** Does what may remove the blob, unless somebody is at keeping it. */
  remove(sha256: string, work: () => Promise<void>): Promise<void>;
}

export function createBlobTurns(): BlobTurns {
  const keeping = new Map<string, number>();
  const removing = new Map<string, Promise<void>>();

  return {
    async keep(sha256, work) {
      keeping.set(sha256, (keeping.get(sha256) ?? 0) + 1);
      try {
        await removing.get(sha256);
        return await work();
      } finally {
        const left = (keeping.get(sha256) as number) - 1;
        if (left === 0) keeping.delete(sha256);
        else keeping.set(sha256, left);
      }
    },
    async remove(sha256, work) {
      if (keeping.has(sha256)) return;
      const removal = work();
      removing.set(
        sha256,
        removal.catch(() => undefined),
      );
      try {
        await removal;
      } finally {
        removing.delete(sha256);
      }
    },
  };
}
