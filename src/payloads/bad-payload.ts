// The exception with which a reader refuses a payload. A format returns it to its caller as a PayloadFault.

import type { PayloadFault } from './format.ts';

export class BadPayload extends Error {
  readonly part: string;

  constructor(part: string, message: string) {
    super(message);
    this.part = part;
  }
}

/** Turns a thrown BadPayload into a returned fault; other errors pass. */
export function orFault<Result>(read: () => Result): Result | PayloadFault {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadPayload) return { part: error.part, message: error.message };
    throw error;
  }
}

/** A sender's text for messages and part names: on one line, cut to 80 characters. */
export function shownText(text: string): string {
  const line = text.replaceAll(/[\p{C}\u2028\u2029]/gu, '\ufffd');
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

const MAX_SHOWN = 80;
