// Progress of a run on standard error: a bar that is redrawn on a terminal, a line for each event elsewhere.

import type { Io } from '../io.ts';
import { printable } from './printable.ts';

export interface Progress {
  show(percent: number, note: string): void;
  /** Leaves the cursor on a line of its own. */
  close(): void;
}

const BAR_WIDTH = 30;
const ERASE_TO_END_OF_LINE = '\x1b[K';

export function createProgress({ stderr, terminalColumns }: Io): Progress {
  let isOnBar = false;
  return {
    show(percent, note) {
      const columns = terminalColumns();
      const figures = `${String(percent).padStart(3)}%${note === '' ? '' : `  ${printable(note)}`}`;
      if (columns === null) return void stderr.write(`${figures}\n`);
      const filled = Math.round((Math.min(percent, 100) * BAR_WIDTH) / 100);
      const bar = `[${'='.repeat(filled).padEnd(BAR_WIDTH)}] ${figures}`;
      // A line that wraps could not be drawn over.
      stderr.write(`\r${bar.slice(0, columns - 1)}${ERASE_TO_END_OF_LINE}`);
      isOnBar = true;
    },
    close() {
      if (isOnBar) stderr.write('\n');
      isOnBar = false;
    },
  };
}
