// Step memory. Each value has a version, and a turn that was planned on another one is refused.

import type { MemoryUse } from '../../../../src/storage/runs/run-records.ts';
import type { State } from '../state.ts';

export interface StoredMemory {
  key: string;
  version: number;
  value: string;
}

const nameOf = (sinkId: string, key: string): string => `${sinkId} ${key}`;

export function readMemory({ memory }: State, sinkId: string, keys: readonly string[]): StoredMemory[] {
  return [...new Set(keys)].flatMap((key) => memory.get(nameOf(sinkId, key)) ?? []);
}

/** Whether every value still has the version that the run read. */
export function isMemoryCurrent({ memory }: State, sinkId: string, uses: readonly MemoryUse[]): boolean {
  return uses.every(({ key, version }) => (memory.get(nameOf(sinkId, key))?.version ?? 0) === version);
}

export function writeMemory({ memory }: State, sinkId: string, uses: readonly MemoryUse[]): void {
  for (const { key, next, value } of uses) if (value !== null) memory.set(nameOf(sinkId, key), { key, version: next, value });
}
