// Watches the disk. Below the floor new runs are refused, so that those that are running can finish.

import { statfs } from 'node:fs/promises';
import { AppError } from '../errors.ts';

export interface DiskFloor {
  /** Throws `unavailable` while the disk is low or cannot be looked at. */
  refuseWhenLow(): void;
  isLow(): boolean;
  close(): void;
}

const LOOK_EVERY_MS = 1000;
const LOW = 'the disk is nearly full; new runs are refused until space is freed';
const UNREADABLE = 'the data directory cannot be looked at; new runs are refused until it can';

export async function watchDiskFloor(directory: string, minFreeBytes: number): Promise<DiskFloor> {
  let trouble: string | null = null;
  const look = async (): Promise<void> => {
    const { bavail, bsize } = await statfs(directory);
    trouble = bavail * bsize < minFreeBytes ? LOW : null;
  };
  await look();
  const lookAgain = (): Promise<void> =>
    look().catch(() => {
      trouble = UNREADABLE;
    });
  const timer = setInterval(() => void lookAgain(), LOOK_EVERY_MS);
  return {
    isLow: () => trouble !== null,
    refuseWhenLow() {
      if (trouble !== null) throw new AppError('unavailable', trouble, { retryAfterSeconds: 30 });
    },
    close: () => clearInterval(timer),
  };
}
