// The real server in its own process, started by the `sluice` command like `npm start`, for tests that kill it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestEnd } from './cleanup.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** Its output so far, both streams. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to the exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
}

export interface SpawnOptions {
  dataDir: string;
  env?: Record<string, string>;
  args?: string[];
  /** Runs the server under another program, such as ['strace', '-f', …]. */
  under?: string[];
  /** A test program to run instead of the server, with its arguments; it prints the same first line. */
  program?: string[];
  /** The folder of another copy of the program, whose `sluice` command runs. */
  copy?: string;
  /** Runs it as another user. */
  uid?: number;
  gid?: number;
  /** Receives the function that ends the process; by default the end of the test calls it. */
  onEnd?: typeof onTestEnd;
}

/** Resolves when the server listens; rejects with its output if it exits before. */
export async function startServerProcess(options: SpawnOptions): Promise<ServerProcess> {
  const server = spawnServer(options);
  const url = await Promise.race([
    server.listening,
    server.exited.then((code) => {
      throw new Error(`the server exited with ${code}: ${server.output()}`);
    }),
  ]);
  return { ...server, url };
}

/** Starts the process without waiting until it listens, for starts that should be refused. */
export function spawnServer({
  dataDir,
  env = {},
  args = [],
  under = [],
  copy,
  program,
  onEnd = onTestEnd,
  ...user
}: SpawnOptions): Omit<ServerProcess, 'url'> & { listening: Promise<string> } {
  const started = program === undefined ? ['scripts/sluice.mjs', 'serve', ...args] : ['--import', 'tsx', ...program];
  const [command, ...rest] = [...under, process.execPath, ...started] as [string, ...string[]];
  const child = spawn(command, rest, {
    ...user,
    cwd: copy ?? ROOT,
    env: { ...environmentFor(dataDir), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  let announce: (url: string) => void = () => undefined;
  const listening = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const read = (chunk: Buffer): void => {
    printed += chunk.toString();
    const url = /Sluice listens on (\S+)/.exec(printed)?.[1];
    if (url !== undefined) announce(url);
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  onEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return { child, listening, exited, output: () => printed, kill: (signal) => void child.kill(signal) };
}

function environmentFor(dataDir: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    SLUICE_DATA_DIR: dataDir,
    SLUICE_PORT: '0',
    SLUICE_MIN_FREE_DISK: '0B',
    SLUICE_ADMIN_TOKEN: 'admin-token-of-the-tests',
  };
}
