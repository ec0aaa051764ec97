// The streams of one command: those of the process, or a test's own.

import { ExitError, FAILED, INTERRUPTED } from './exit-error.ts';

interface Output {
  write(text: string): unknown;
}

export interface Io {
  /** What a program would read on: results only. */
  readonly stdout: Output;
  /** What a person reads: progress, hints, errors. */
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Width of the terminal that shows standard error; null when it is none. */
  terminalColumns(): number | null;
  /** Whether a terminal shows standard output. */
  isTerminal(): boolean;
  /** Aborted, with the ExitError to end with, by Ctrl-C from now on, or when nobody reads the output any more. */
  interruption(): AbortSignal;
}

export function processIo(): Io {
  const { stdout, stderr } = process;
  const controller = new AbortController();
  const onFault = ({ code = 'unknown error' }: NodeJS.ErrnoException): void => {
    // `| head` has read what it wanted: that is no failure.
    if (code === 'EPIPE') return controller.abort(new ExitError('', 0));
    if (!controller.signal.aborted && stderr.writable) stderr.write(`sluice: the output cannot be written (${code})\n`);
    controller.abort(new ExitError('', FAILED));
    process.once('exit', () => {
      process.exitCode = FAILED;
    });
  };
  stdout.on('error', onFault);
  stderr.on('error', onFault);
  return {
    stdout,
    stderr,
    get stdin() {
      return process.stdin;
    },
    terminalColumns: () => (stderr.isTTY ? stderr.columns : null),
    isTerminal: () => stdout.isTTY === true,
    interruption() {
      // A second Ctrl-C meets no handler and ends the process at once.
      process.once('SIGINT', () => controller.abort(new ExitError('', INTERRUPTED)));
      return controller.signal;
    },
  };
}
