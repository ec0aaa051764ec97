// The priority of threads whose work may take long: they give way to the thread that serves callers, and to the writer.

import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Lowers the priority of the calling thread for good. Without effect but on Linux, where threads have priorities of their
 * own, and where a container hides `/proc`.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // The thread works as well, and others wait for it a little.
  }
}
