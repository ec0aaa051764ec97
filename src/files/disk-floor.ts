// Watches free disk space. Below the floor new runs are refused, so that running ones can finish.

import { statfs } from 'node:fs/promises';
import { AppError } from '../errors.ts';

export interface DiskFloor {
  /** Throws `unavailable` while the disk is low or cannot be checked. */
  refuseWhenLow(): void;
  isLow(): boolean;
  /** As of the last check. Null: it could not be read. */
  freeBytes(): number | null;
  close(): void;
}

const CHECK_EVERY_MS = 1000;
const LOW = 'the disk is nearly full; new runs are refused until space is freed';
const UNREADABLE = 'the free space of the data directory cannot be read; new runs are refused until it can';

/** Checks the free space of the directory's disk now and every second. Rejects if it cannot be read now. */
export async function watchDiskFloor(directory: string, minFreeBytes: number): Promise<DiskFloor> {
  let fault: string | null = null;
  let free: number | null = null;
  const check = async (): Promise<void> => {
    const { bavail, bsize } = await statfs(directory);
    free = bavail * bsize;
    fault = free < minFreeBytes ? LOW : null;
  };
  await check();
  const checkAgain = (): Promise<void> =>
    check().catch(() => {
      fault = UNREADABLE;
      free = null;
    });
  const timer = setInterval(() => void checkAgain(), CHECK_EVERY_MS);
  return {
    isLow: () => fault !== null,
    freeBytes: () => free,
    refuseWhenLow() {
      if (fault !== null) throw new AppError('unavailable', fault, { retryAfterSeconds: 30 });
    },
    close: () => clearInterval(timer),
  };
}
