// Records the operations of all clients as they return, on the clock of this process.

import type { Arrival, Entry, Fault, History, OperationName, Operations, Outcome } from '../history.ts';

export class Recorder {
  readonly #seed: number;
  readonly #entries: Entry[] = [];
  readonly #faults: Fault[] = [];
  readonly #arrivals: Arrival[] = [];
  #lastId = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Runs an operation and records it. Returns what the server told; undefined if it refused or nobody knows. */
  async operate<Name extends OperationName>(
    client: number,
    operation: Name,
    asked: Operations[Name]['asked'],
    perform: () => Promise<Outcome<Operations[Name]['told']>>,
  ): Promise<Operations[Name]['told'] | undefined> {
    this.#lastId += 1;
    const id = this.#lastId;
    const invokedAt = performance.now();
    const outcome = await perform();
    const entry: Entry<Name> = { id, client, operation, asked, invokedAt, returnedAt: performance.now(), outcome };
    this.#entries.push(entry as unknown as Entry);
    return outcome.kind === 'ok' ? outcome.told : undefined;
  }

  async fault(name: string, detail: string, perform: () => Promise<void>): Promise<void> {
    const beganAt = performance.now();
    await perform();
    this.#faults.push({ name, detail, beganAt, endedAt: performance.now() });
  }

  arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
  }

  history(): History {
    return { seed: this.#seed, entries: this.#entries, faults: this.#faults, arrivals: this.#arrivals };
  }
}
