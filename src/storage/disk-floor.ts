// Watches the free disk. Below the floor new runs are refused, so that those that are running can finish.

import { statfs } from 'node:fs/promises';
import { AppError } from '../errors.ts';

export interface DiskFloor {
  /** Throws `unavailable` while the disk is low. */
  refuseWhenLow(): void;
  isLow(): boolean;
  close(): void;
}

const LOOK_EVERY_MS = 1000;

export async function watchDiskFloor(directory: string, minFreeBytes: number): Promise<DiskFloor> {
  let freeBytes = Number.POSITIVE_INFINITY;
  const look = async (): Promise<void> => {
    const { bavail, bsize } = await statfs(directory);
    freeBytes = bavail * bsize;
  };
  await look();
  // A look that fails leaves the last answer; a disk that is gone shows itself in the database soon enough.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  const isLow = (): boolean => freeBytes < minFreeBytes;
  return {
    isLow,
    refuseWhenLow() {
      if (isLow())
        throw new AppError('unavailable', 'the disk is nearly full; new runs are refused until space is freed', { retryAfterSeconds: 30 });
    },
    close: () => clearInterval(timer),
  };
}
