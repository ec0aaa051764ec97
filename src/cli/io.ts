// The streams of a command: those of the process, or of a test.

import { ExitError, FAILED, INTERRUPTED } from './exit-error.ts';

interface Output {
  write(text: string): unknown;
}

export interface Io {
  /** Only results, for other programs to read. */
  readonly stdout: Output;
  /** Progress, hints and errors, for people. */
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Stops reading standard input, which would keep the process alive. */
  closeStdin(): void;
  /** Width of the terminal on standard error; null without a terminal. */
  terminalColumns(): number | null;
  /** True when standard output is a terminal. */
  isTerminal(): boolean;
  /** Handles Ctrl-C from now on. The signal aborts with an ExitError on Ctrl-C, or when the reader of the output closes it. */
  interruption(): AbortSignal;
}

export function processIo(): Io {
  const { stdout, stderr } = process;
  const controller = new AbortController();
  const onFault = ({ code = 'unknown error' }: NodeJS.ErrnoException): void => {
    // A reader such as `| head` may stop early, which is not a failure.
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
    closeStdin: () => void process.stdin.destroy(),
    terminalColumns: () => (stderr.isTTY ? stderr.columns : null),
    isTerminal: () => stdout.isTTY === true,
    interruption() {
      // A second Ctrl-C has no handler and ends the process at once.
      process.once('SIGINT', () => controller.abort(new ExitError('', INTERRUPTED)));
      return controller.signal;
    },
  };
}
