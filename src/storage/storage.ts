// The storage contract, for one owner of leases. Each method is one atomic state change or one consistent read.
// A promise that resolves means that the change is on disk.
//
// A write to a run or a delivery carries its lease, and stores nothing under a stale one. A lease lasts LEASE_MS
// (leases/lease.ts) by the clock of the storage, which also decides what is due. Times are by this clock, in ms, except
// those of definitions, of schedules and of blocked clients, which are wall time.
//
// A method that cannot do its work now rejects with AppError `unavailable`: the database is locked, full or away. Nothing is
// changed then. If it may have been changed, the error is an UnknownOutcome (errors.ts). Either way the same call may
// be repeated, and is done once.

import type { Clock } from '../clock.ts';
import type { DefinitionStore } from './definition-store.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { JobStore } from './job-store.ts';
import type { LoadStore } from './load-store.ts';
import type { ClientStore } from './refusals/client-store.ts';
import type { RejectionStore } from './refusals/rejection-store.ts';
import type { RunPartStore } from './runs/part-store.ts';
import type { RunStore } from './runs/run-store.ts';
import type { SampleStore } from './samples/sample-store.ts';
import type { ScheduleStore } from './schedule-store.ts';

export interface Storage
  extends DefinitionStore,
    RunStore,
    RunPartStore,
    DeliveryStore,
    JobStore,
    RejectionStore,
    ScheduleStore,
    ClientStore,
    SampleStore,
    LoadStore {
  /** Calls the listener with hints about changes by other owners. Returns a function that ends this. */
  watch(listener: (hint: Hint) => void): () => void;
  /** Makes a commit. Resolves once it is on disk, after all earlier writes. */
  ping(): Promise<void>;
  /** Resolves once all earlier calls are settled and the files are closed. Later calls reject. */
  close(): Promise<void>;
}

/** Another owner has changed something. A hint may be late or missing, so that a listener also looks without one. */
export type Hint =
  /** These runs have new events. */
  | { kind: 'events'; runIds: readonly string[] }
  | { kind: 'definitions'; version: number }
  /** Runs or deliveries have become due, or will sooner than before. */
  | { kind: 'due' };

export interface OpenedStorage {
  storage: Storage;
  node: StorageNode;
}

/** This process as an owner of leases. */
export interface StorageNode {
  /** Fresh at each start. */
  owner: number;
  /** Below 64. No two live owners have the same one; it makes the numbers of their runs differ. */
  slot: number;
  /** No other process can open this database. */
  isAlone: boolean;
  time: StorageTime;
}

/** The clock of the storage, as this process knows it. */
export interface StorageTime {
  clock: Clock;
  /** The time of the wall clock at a moment of `clock`, and the reverse. */
  toWall(at: number): number;
  fromWall(wall: number): number;
  /** Before this moment the clock may be wrong, and nothing may be removed by age. */
  settlesAt(): number;
}
