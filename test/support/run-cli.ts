// Runs one command of the CLI inside the test process, with its own streams and environment.

import { Readable } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { ADMIN_TOKEN, type TestApp } from './start-app.ts';

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  environment?: Record<string, string>;
  stdin?: string | AsyncIterable<Uint8Array>;
  /** Width of the terminal; by default there is no terminal. */
  columns?: number;
  /** Whether standard output is a terminal. */
  isTerminal?: boolean;
  /** Stands for Ctrl-C. */
  interruption?: AbortSignal;
  /** Called with standard error so far. */
  onStderr?: (text: string) => void;
  /** Called with standard output so far. */
  onStdout?: (text: string) => void;
}

export async function sluice(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const { io, printed } = recordingIo(options);
  const code = await runCli(['node', 'sluice', ...args], options.environment ?? {}, io);
  return { code, ...printed };
}

/** Streams of a command that collect its output. */
export function recordingIo(options: CliOptions = {}): { io: Io; printed: Omit<CliResult, 'code'> } {
  const { stdin = '', columns, isTerminal = false, interruption = new AbortController().signal, onStderr, onStdout } = options;
  const printed = { stdout: '', stderr: '' };
  const io: Io = {
    stdout: {
      write: (text: string) => {
        printed.stdout += text;
        onStdout?.(printed.stdout);
      },
    },
    stderr: {
      write: (text: string) => {
        printed.stderr += text;
        onStderr?.(printed.stderr);
      },
    },
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    closeStdin: () => undefined,
    terminalColumns: () => columns ?? null,
    isTerminal: () => isTerminal,
    interruption: () => interruption,
  };
  return { io, printed };
}

/** The environment of an administrator of the app. */
export function adminOf(app: TestApp): Record<string, string> {
  return { SLUICE_URL: app.url, SLUICE_TOKEN: ADMIN_TOKEN };
}
