// Colours for standard output, only on a terminal and unless NO_COLOR is set.

import type { CliContext } from '../context.ts';

export interface Paint {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export function createPaint({ io, environment }: CliContext): Paint {
  const isColoured = io.isTerminal() && (environment['NO_COLOR'] ?? '') === '';
  const paint = (code: number) => (text: string) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { strong: paint(1), faint: paint(2), good: paint(32), bad: paint(31) };
}
