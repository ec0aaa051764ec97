// How a verb ends when it is not simply done.

/** Ends the command with this code. Each line of the message goes to standard error after `sluice: `; an empty one prints nothing. */
export class ExitError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'ExitError';
    this.exitCode = exitCode;
  }
}

export const FAILED = 1;
export const WRONG_USAGE = 2;
/** What shells report for a program that Ctrl-C ended. */
export const INTERRUPTED = 130;
