// Caches the values that steps remember between runs. A turn states which version it planned on; storage refuses the
// turn when that version is not the newest.

import { decodeStored } from '../core/json/stored-value.ts';
import type { MemoryUse } from '../storage/runs/run-records.ts';
import type { Storage } from '../storage/storage.ts';

export interface MemoryEntry {
  /** 0: nothing is stored. */
  version: number;
  value: unknown;
}

export interface StepMemory {
  /** Undefined when it is not loaded yet. */
  peek(sinkId: string, key: string): MemoryEntry | undefined;
  load(sinkId: string, keys: readonly string[]): Promise<void>;
  /** Applies what a run is about to store, so that the next run plans on it. */
  applyOptimistically(sinkId: string, uses: readonly MemoryUse[]): void;
  /** The turn was not stored. */
  forget(sinkId: string, uses: readonly MemoryUse[]): void;
}

const MAX_ENTRIES = 10_000;

export function createStepMemory(storage: Pick<Storage, 'readMemory'>): StepMemory {
  const entries = new Map<string, MemoryEntry>();
  const nameOf = (sinkId: string, key: string): string => `${sinkId} ${key}`;

  function put(name: string, entry: MemoryEntry): void {
    entries.delete(name);
    entries.set(name, entry);
    if (entries.size > MAX_ENTRIES) for (const oldest of entries.keys()) if (entries.delete(oldest)) break;
  }

  return {
    peek: (sinkId, key) => entries.get(nameOf(sinkId, key)),
    async load(sinkId, keys) {
      const found = new Map((await storage.readMemory(sinkId, [...keys])).map((entry) => [entry.key, entry]));
      for (const key of keys) {
        const entry = found.get(key);
        put(
          nameOf(sinkId, key),
          entry === undefined ? { version: 0, value: null } : { version: entry.version, value: decodeStored(entry.value) },
        );
      }
    },
    applyOptimistically(sinkId, uses) {
      for (const { key, next, value } of uses) {
        if (value !== null) put(nameOf(sinkId, key), { version: next, value: decodeStored(value) });
      }
    },
    forget(sinkId, uses) {
      for (const { key } of uses) entries.delete(nameOf(sinkId, key));
    },
  };
}
