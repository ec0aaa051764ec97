// Watches the disk. Below the floor new runs are refused, so that those that are running can finish; and when the data
// directory was deleted or replaced, because what is written to files that have no name is lost at the next start.

import { stat, statfs } from 'node:fs/promises';
import { AppError } from '../errors.ts';

export interface DiskFloor {
  /** Throws `unavailable` while the disk is low or gone. */
  refuseWhenLow(): void;
  isLow(): boolean;
  close(): void;
}

const LOOK_EVERY_MS = 1000;
const LOW = 'the disk is nearly full; new runs are refused until space is freed';
const GONE = 'the data directory was deleted or replaced; new runs are refused until the server is started again';

export async function watchDiskFloor(directory: string, minFreeBytes: number): Promise<DiskFloor> {
  const { ino } = await stat(directory);
  let trouble: string | null = null;
  const look = async (): Promise<void> => {
    const [{ bavail, bsize }, found] = await Promise.all([statfs(directory), stat(directory)]);
    trouble = found.ino !== ino ? GONE : bavail * bsize < minFreeBytes ? LOW : null;
  };
  await look();
  const lookAgain = (): Promise<void> =>
    look().catch(() => {
      trouble = GONE;
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
