// What the loops over files share: calls that succeed or fail in one clear line, and the list of what is wrong.

import { AppError } from '../../../src/errors.ts';
import type { FaultControl } from './fault-library.ts';
import { unclear } from './fault-loop.ts';

/** Node reports any fault of a recursive mkdir but a few as ENOENT. */
const OF_DISK = /\bE(?:IO|NOSPC|MFILE)\b|ENOENT: .* mkdir|cannot be (?:written|read or created) \(ENOENT\)/;

export class FileChecks {
  readonly problems: string[] = [];
  readonly #control: FaultControl;

  constructor(control: FaultControl) {
    this.#control = control;
  }

  /** Returns whether the call succeeded. A failure must be of the disk, and be described in one clear line. */
  async succeeds(name: string, work: () => Promise<unknown>): Promise<boolean> {
    const failedSyncs = this.#control.watchSyncs();
    try {
      await work();
      this.check(failedSyncs() === 0, `${name} succeeds, although its sync failed`);
      return true;
    } catch (error) {
      const { code, message, stack } = error as NodeJS.ErrnoException;
      const isOfDisk = error instanceof AppError ? code === 'unavailable' : OF_DISK.test(message);
      if (!isOfDisk) this.problems.push(`${name} fails by ${stack}`);
      this.checkLine(name, message);
      return false;
    }
  }

  /** For calls without a fault. */
  async mustSucceed(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.problems.push(`${name} fails: ${(error as Error).message}`);
    }
  }

  checkLine(name: string, line: string): void {
    const fault = unclear(line);
    if (fault !== null) this.problems.push(`${name}: ${fault}`);
  }

  check(isRight: boolean, problem: string): void {
    if (!isRight) this.problems.push(problem);
  }
}
