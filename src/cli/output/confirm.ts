// Asks before a command does what cannot be undone.

import { ExitError, FAILED } from '../exit-error.ts';
import type { Io } from '../io.ts';
import { printable } from './printable.ts';

const LONGEST_ANSWER = 100;

/** Rejects with ExitError unless the answer on standard input is yes. */
export async function confirm({ stdin, stderr, closeStdin }: Io, question: string): Promise<void> {
  stderr.write(`${printable(question)} [y/N] `);
  let answer = '';
  for await (const chunk of stdin) {
    answer += Buffer.from(chunk).toString('utf8');
    if (answer.includes('\n') || answer.length > LONGEST_ANSWER) break;
  }
  closeStdin();
  if (!/^y(?:es)?\s*(?:\n|$)/i.test(answer)) throw new ExitError('nothing was done; answer "y", or give --yes', FAILED);
}
