// How a reader deep inside a document gives up: thrown there, and a PayloadFault again before it leaves the format.

import type { PayloadFault } from './format.ts';

export class BadPayload extends Error {
  readonly part: string;

  constructor(part: string, message: string) {
    super(message);
    this.part = part;
  }
}

export function orFault<Result>(read: () => Result): Result | PayloadFault {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadPayload) return { part: error.part, message: error.message };
    throw error;
  }
}

/** A sender's text as messages and names of parts show it: short, and on one line. */
export function shownText(text: string): string {
  const line = text.replaceAll(/[\p{C}\u2028\u2029]/gu, '\ufffd');
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

const MAX_SHOWN = 80;
