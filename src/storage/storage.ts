// The storage contract. Each method is one atomic state change or one consistent read; `now` and ids are arguments.
// A promise that resolves means that the change is on disk.
// A write to a run or delivery carries its lease, and stores nothing under a stale one.
// All times are server time in ms (core/run/server-time.ts), except those of definitions, which are wall time.
// Every method rejects with AppError `unavailable` if the database is locked or the disk is full. Nothing is changed then,
// and the same call may succeed later.

import type { DefinitionStore } from './definition-store.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { RejectionStore } from './rejection-store.ts';
import type { RunStore } from './run-store.ts';
import type { ServerTimeStore } from './server-time-store.ts';

export interface Storage extends DefinitionStore, RunStore, DeliveryStore, RejectionStore, ServerTimeStore {
  /** Makes a commit. Resolves once it is on disk, after all earlier writes. */
  ping(): Promise<void>;
  /** Resolves once all earlier calls are settled and the files are closed. Later calls reject. */
  close(): Promise<void>;
}
