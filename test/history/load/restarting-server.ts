// The server through all its restarts: each is a process of its own, on the same data.

import { onTestEnd } from '../../support/cleanup.ts';
import { type ServerProcess, startServerProcess } from '../../support/server-process.ts';
import type { FaultyMachine } from './faulty-machine.ts';

const SETTINGS = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8', SLUICE_DRAIN_SECONDS: '2' };

/** How the process ends by each cause. */
const ENDS = { SIGKILL: 'SIGKILL', SIGTERM: 0, failed: 1 };

export class RestartingServer {
  readonly #machine: FaultyMachine;
  #current: Promise<ServerProcess>;

  constructor(machine: FaultyMachine) {
    this.#machine = machine;
    this.#current = this.#start();
    // The last process; each one before has ended.
    onTestEnd(async () => {
      const last = await this.#current.catch(() => null);
      last?.kill('SIGKILL');
      await last?.exited;
    });
  }

  /** Resolves to the address, once the server listens. */
  readonly base = async (): Promise<string> => (await this.#current).url;

  /** Ends the process, or without a signal waits until it has failed, and starts another one. Rejects if it ends otherwise. */
  async restart(signal: 'SIGKILL' | 'SIGTERM' | null, beforeStart: () => void = () => undefined): Promise<void> {
    const { kill, exited, output } = await this.#current;
    const restarted = exited.then((code) => {
      if (code !== ENDS[signal ?? 'failed']) throw new Error(`the server exited with ${code}: ${output()}`);
      beforeStart();
      return this.#start();
    });
    if (signal === null) await exited;
    else kill(signal);
    // An operation that begins from now on waits for the next process.
    this.#current = restarted;
    await restarted;
  }

  async signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    (await this.#current).kill(signal);
  }

  #start(): Promise<ServerProcess> {
    const { dataDir, env } = this.#machine;
    return startServerProcess({ dataDir, env: { ...env, ...SETTINGS }, onEnd: () => undefined });
  }
}
