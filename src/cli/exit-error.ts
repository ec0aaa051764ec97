// The exit codes of a verb, and the error that ends it with one.

/** Ends the command with this code. Each line of the message is printed to standard error after `sluice: `; an empty message prints nothing. */
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
/** The code that shells report after Ctrl-C. */
export const INTERRUPTED = 130;
