// Lowers the priority of threads with long tasks below that of the thread that serves callers and of the writer.

import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/** For the calling thread, permanently. Works only on Linux, where each thread has a priority, with `/proc` readable. */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // The thread also works at normal priority; others then wait for it a little.
  }
}
