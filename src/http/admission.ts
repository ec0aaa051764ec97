// Decides whether the server accepts new runs: not while it stops, nor while the disk is almost full.

import { AppError } from '../errors.ts';
import type { DiskFloor } from '../files/disk-floor.ts';

export class Admission {
  readonly #disk: DiskFloor;
  #isStopping = false;

  constructor(disk: DiskFloor) {
    this.#disk = disk;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Refuses all further runs. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Throws `unavailable`. */
  refuseWhenFull(): void {
    if (this.#isStopping)
      throw new AppError('unavailable', 'the server is shutting down; try again', {
        retryAfterSeconds: 5,
        headers: { connection: 'close' },
      });
    this.#disk.refuseWhenLow();
  }
}
