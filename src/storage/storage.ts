// The storage contract. One method is one indivisible state change, in one sentence; `now` and ids are arguments.
// A promise that resolves means that the change is on disk. Every write to a run that somebody advances carries the lease
// and changes nothing when it is stale. Times are server time (core/run/server-time.ts), but for those of definitions.
// All methods reject with AppError `unavailable` when the database is locked or the disk is full: nothing was
// changed then, and the same call may succeed later.

import type { DefinitionStore } from './definition-store.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { RejectionStore } from './rejection-store.ts';
import type { RunStore } from './run-store.ts';
import type { ServerTimeStore } from './server-time-store.ts';

export interface Storage extends DefinitionStore, RunStore, DeliveryStore, RejectionStore, ServerTimeStore {
  /** Resolves when a commit reaches the disk. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
