// The reads and writes of one run in its sink's memory, until the next turn stores them.

import { encodeStored } from '../../core/json/stored-value.ts';
import type { MemoryUse } from '../../storage/runs/run-records.ts';
import type { MemoryEntry } from '../step-memory.ts';

export class RunMemory {
  readonly #recall: (key: string) => MemoryEntry | undefined;
  #uses = new Map<string, Omit<MemoryUse, 'next'> & { current: unknown }>();
  #wanted: string[] = [];

  /** `recall` returns undefined for a key that is not loaded. */
  constructor(recall: (key: string) => MemoryEntry | undefined) {
    this.#recall = recall;
  }

  /** False when the key must be loaded first; it is then one of the wanted keys. */
  has(key: string): boolean {
    if (this.#uses.has(key) || this.#recall(key) !== undefined) return true;
    this.#wanted.push(key);
    return false;
  }

  read(key: string): unknown {
    const known = this.#uses.get(key);
    if (known !== undefined) return known.current;
    const entry = this.#recall(key);
    if (entry === undefined) throw new Error(`the memory "${key}" is not loaded`);
    this.#uses.set(key, { key, version: entry.version, value: null, current: entry.value });
    return entry.value;
  }

  /** The key must have been read. */
  write(key: string, value: unknown): void {
    const use = this.#uses.get(key);
    if (use === undefined) throw new Error(`the memory "${key}" is written before it is read`);
    use.value = encodeStored(value);
    use.current = value;
  }

  takeWanted(): readonly string[] {
    const wanted = this.#wanted;
    if (wanted.length > 0) this.#wanted = [];
    return wanted;
  }

  takeUses(): MemoryUse[] {
    const uses = [...this.#uses.values()].map(({ key, version, value }) => ({ key, version, next: newVersion(), value }));
    this.#uses.clear();
    return uses;
  }
}

/** Unlike every other one, with the certainty of 52 random bits; never 0. */
function newVersion(): number {
  return 1 + Math.floor(Math.random() * 2 ** 52);
}
