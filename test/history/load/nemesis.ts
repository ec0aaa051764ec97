// Breaks things by a seeded schedule while the clients work. Its times are its nature: nothing else waits for them.

import { setTimeout as after } from 'node:timers/promises';
import type { DeliveryReceiver } from './delivery-receiver.ts';
import type { FaultyMachine } from './faulty-machine.ts';
import { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { RestartingServer } from './restarting-server.ts';

/** Those of the server exclude each other; those around it may happen meanwhile. */
const OF_THE_SERVER = { kill: 6, stop: 3, pause: 2, disk: 3, sync: 1 } as const;
const AROUND_IT = { clock: 3, slow: 1, failing: 1 } as const;
type FaultName = keyof typeof OF_THE_SERVER | keyof typeof AROUND_IT;

const LEAST_QUIET_MS = 300;
const MOST_QUIET_MS = 2500;
/** Idempotency keys are valid for a day; a step before a kill counts as elapsed time, so all steps together must be less. */
const MOST_CLOCK_DIFFERENCE_MS = 600_000;
const LONGER_THAN_A_LEASE_MS = 16_500;

export interface NemesisOptions {
  seed: number;
  recorder: Recorder;
  server: RestartingServer;
  machine: FaultyMachine;
  receiver: DeliveryReceiver;
}

export class Nemesis {
  readonly #options: NemesisOptions;

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  async run(isOver: () => boolean): Promise<void> {
    const { seed } = this.#options;
    await Promise.all([this.#strikeBy(OF_THE_SERVER, new Random(seed), isOver), this.#strikeBy(AROUND_IT, new Random(seed + 1), isOver)]);
  }

  /** First each fault once, then by weight. */
  async #strikeBy<Name extends FaultName>(weights: Readonly<Record<Name, number>>, random: Random, isOver: () => boolean): Promise<void> {
    const first = random.shuffled(Object.keys(weights) as Name[]);
    while (!isOver()) {
      await after(random.between(LEAST_QUIET_MS, MOST_QUIET_MS));
      await this.#strike(first.pop() ?? random.weighted(weights), random);
    }
  }

  /** Stops the process for longer than a lease is valid. */
  async pauseLong(): Promise<void> {
    await this.#options.recorder.fault('pause', `${LONGER_THAN_A_LEASE_MS} ms`, () => this.#pause(LONGER_THAN_A_LEASE_MS));
  }

  async #strike(fault: FaultName, random: Random): Promise<void> {
    const ms = Math.round(random.between(200, 2000));
    const { setClock } = this.#options.machine;
    const differenceMs = random.between(-MOST_CLOCK_DIFFERENCE_MS, MOST_CLOCK_DIFFERENCE_MS);
    const strikes: Record<FaultName, [string, () => Promise<void>]> = {
      kill: ['SIGKILL', () => this.#options.server.restart('SIGKILL')],
      stop: ['SIGTERM', () => this.#options.server.restart('SIGTERM')],
      pause: [`${ms} ms`, () => this.#pause(ms)],
      clock: [`${Math.round(differenceMs)} ms from the real one`, async () => setClock?.(differenceMs)],
      disk: this.#fullDisk(ms, random),
      sync: ['until the server ends', () => this.#brokenSync()],
      slow: [`${ms} ms`, () => this.#mood('slow', ms)],
      failing: [`${ms} ms`, () => this.#mood('failing', ms)],
    };
    const [detail, perform] = strikes[fault];
    await this.#options.recorder.fault(fault, detail, perform);
  }

  async #pause(ms: number): Promise<void> {
    await this.#options.server.signal('SIGSTOP');
    await after(ms);
    await this.#options.server.signal('SIGCONT');
  }

  async #mood(mood: 'slow' | 'failing', ms: number): Promise<void> {
    this.#options.receiver.setMood(mood);
    await after(ms);
    this.#options.receiver.setMood('well');
  }

  /** The server ends by itself, because it cannot know what is on disk. */
  async #brokenSync(): Promise<void> {
    this.#options.machine.breakDisk();
    await this.#options.server.restart(null, () => this.#options.machine.repairDisk());
  }

  /** Sometimes the server is killed or stopped meanwhile; a start needs space. */
  #fullDisk(ms: number, random: Random): [string, () => Promise<void>] {
    const end = random.pick<'SIGKILL' | 'SIGTERM' | null>(['SIGKILL', 'SIGTERM', null, null]) ?? null;
    const perform = async (): Promise<void> => {
      this.#options.machine.fillDisk();
      await after(ms);
      if (end === null) this.#options.machine.repairDisk();
      else await this.#options.server.restart(end, () => this.#options.machine.repairDisk());
    };
    return [`${ms} ms${end === null ? '' : `, then ${end}`}`, perform];
  }
}
