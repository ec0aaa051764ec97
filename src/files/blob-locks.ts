// Mutual exclusion between storing and removing the same blob, so that a sweep never removes a blob that was received again
// after its check. State in memory is enough: one process owns the directory.

export interface BlobLocks {
  /** Runs `work`, which stores or renews the blob, after any removal in progress. */
  keep<Result>(sha256: string, work: () => Promise<Result>): Promise<Result>;
  /** Runs `work`, which may remove the blob, unless the blob is being stored or renewed. */
  remove(sha256: string, work: () => Promise<void>): Promise<void>;
}

export function createBlobLocks(): BlobLocks {
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
