// `sluice listen` on a free port, inside the test process.

import { ExitError, INTERRUPTED } from '../../src/cli/exit-error.ts';
import { onTestEnd } from './cleanup.ts';
import { type CliOptions, type CliResult, sluice } from './run-cli.ts';

export interface Listener {
  url: string;
  /** Standard output so far. */
  shown(): string;
  /** Its output after it has ended by itself, as with --count. */
  ended: Promise<CliResult>;
  /** Stands for Ctrl-C. */
  stop(): Promise<CliResult>;
}

/** Rejects with the output if the listener ends before it listens. */
export async function startListener(args: string[], options: CliOptions = {}): Promise<Listener> {
  const controller = new AbortController();
  let text = '';
  let announce: (url: string) => void = () => undefined;
  const listening = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const ended = sluice(['listen', '--port', '0', ...args], {
    ...options,
    interruption: controller.signal,
    onStdout: (stdout) => {
      text = stdout;
    },
    onStderr: (stderr) => {
      const url = /listening on (\S+)/.exec(stderr)?.[1];
      if (url !== undefined) announce(url);
    },
  });
  const stop = (): Promise<CliResult> => {
    controller.abort(new ExitError('', INTERRUPTED));
    return ended;
  };
  onTestEnd(async () => void (await stop()));
  const url = await Promise.race([listening, ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  return { url, shown: () => text, ended, stop };
}
