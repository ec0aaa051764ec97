// Shows progress on standard error: a bar on a terminal, otherwise one line per event.

import type { Io } from '../io.ts';
import { printable } from './printable.ts';

export interface Progress {
  show(percent: number, note: string): void;
  /** Moves the cursor to a new line. */
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
      // A wrapped line could not be redrawn.
      stderr.write(`\r${bar.slice(0, columns - 1)}${ERASE_TO_END_OF_LINE}`);
      isOnBar = true;
    },
    close() {
      if (isOnBar) stderr.write('\n');
      isOnBar = false;
    },
  };
}
