// The real server as a process of its own, started by the `sluice` command as `npm start` is, for tests that kill it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestEnd } from './cleanup.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** All that it has printed, both streams. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to the exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
}

export interface SpawnOptions {
  dataDir: string;
  env?: Record<string, string>;
  args?: string[];
  /** Runs the server under another program, as ['strace', '-f', …]. */
  under?: string[];
  /** A program of the tests to run in place of the server, with its arguments; it prints the same first line. */
  program?: string[];
  /** Folder of another copy of the program, whose `sluice` command is run. */
  copy?: string;
  /** Runs it as another user. */
  uid?: number;
  gid?: number;
  /** Takes what ends the process, in place of the end of the running test. */
  onEnd?: typeof onTestEnd;
}

/** Resolves when it listens; rejects with what it printed when it exits first. */
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

/** The process without waiting for it to listen, for starts that should be refused. */
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
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      SLUICE_DATA_DIR: dataDir,
      SLUICE_PORT: '0',
      SLUICE_MIN_FREE_DISK: '0B',
      SLUICE_ADMIN_TOKEN: 'admin-token-of-the-tests',
      ...env,
    },
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
