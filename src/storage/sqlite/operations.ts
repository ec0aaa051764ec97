// All SQLite operations behind the storage contract, as the threads know them: writes run inside the transaction of
// their batch, reads on a connection of their own.

import type { Database } from 'better-sqlite3';
import type { DeliveryState } from '../../core/delivery/delivery.ts';
import type { DeliveryLease } from '../delivery-records.ts';
import type { Lease } from '../run-records.ts';
import type { Storage } from '../storage.ts';
import { createDefinitionOperations } from './definitions/write-definitions.ts';
import type { PackedClaims } from './deliveries/claimed-deliveries.ts';
import type { deliveryAttempts } from './deliveries/delivery-columns.ts';
import { createOverflowOperations } from './deliveries/overflow.ts';
import { createDeliveryQueries } from './deliveries/read-deliveries.ts';
import { createDeliveryOperations } from './deliveries/write-deliveries.ts';
import { createRejectionOperations, createRejectionQueries } from './rejections.ts';
import { createBlobQueries, createRetentionOperations } from './retention.ts';
import { createRunQueries } from './runs/read-runs.ts';
import { createRunClaims } from './runs/run-claims.ts';
import type { runs } from './runs/run-columns.ts';
import { createRunEndings } from './runs/run-endings.ts';
import { createRunResults } from './runs/run-results.ts';
import { createMemoryQueries } from './runs/step-memory.ts';
import type { turns } from './runs/turn-columns.ts';
import { createRunOperations } from './runs/write-runs.ts';
import { createServerTimeOperations } from './server-time.ts';
import type { Packed } from './table.ts';

export const READS = [
  'findWorkflow',
  'getRun',
  'getOutcome',
  'listRuns',
  'readEvents',
  'findStream',
  'listRejections',
  'getDelivery',
  'listDeliveries',
] as const;
export const WRITES = [
  'changeDefinitions',
  'createRun',
  'advanceRun',
  'claimDueRuns',
  'renewLeases',
  'releaseRun',
  'recoverRuns',
  'cancelRun',
  'recordAttempt',
  'claimDeliveries',
  'renewDeliveries',
  'releaseDeliveries',
  'retryDeliveries',
  'recordRejections',
  'recordServerTime',
  'pruneRuns',
  'ping',
  // These only read, but must see the writes before them, and the server needs the first three to start.
  'readServerTime',
  'loadDefinitions',
  'nextWake',
  'listDueOrigins',
  'readMemory',
  'findUnreferencedBlobs',
] as const;

export type OperationName = (typeof READS)[number] | (typeof WRITES)[number];

/** What comes packed. */
interface PackedArguments {
  createRun: Packed<typeof runs>;
  advanceRun: [lease: Lease, change: Packed<typeof turns>];
  recordAttempt: [
    delivery: DeliveryLease,
    attempt: Packed<typeof deliveryAttempts>,
    next: DeliveryState,
    turn: { lease: Lease; change: Packed<typeof turns> } | null,
  ];
}

/** What goes back packed. */
interface PackedResults {
  claimDeliveries: PackedClaims;
}

/** A storage method as it runs inside a thread: the same, without the promise, and some of it packed. */
type Operations<Names extends OperationName> = {
  [Name in Names]: (
    ...args: Name extends keyof PackedArguments ? PackedArguments[Name] : Parameters<Storage[Name]>
  ) => Name extends keyof PackedResults ? PackedResults[Name] : Awaited<ReturnType<Storage[Name]>>;
};

export function createWrites(database: Database): Operations<(typeof WRITES)[number]> {
  // A commit that changes nothing does not reach the disk, so this one changes a row into itself.
  const touch = database.prepare('UPDATE database_state SET commit_seq = commit_seq');
  const overflows = createOverflowOperations(database);
  const parts = { overflows, endings: createRunEndings(database, overflows), resultsOf: createRunResults(database) };
  const runs = createRunOperations(database, parts);
  return {
    ...createDefinitionOperations(database),
    ...runs,
    ...createRunClaims(database, parts),
    ...createDeliveryOperations(database, overflows, runs.advanceRun),
    ...createMemoryQueries(database),
    ...createRejectionOperations(database),
    ...createRetentionOperations(database),
    ...createServerTimeOperations(database),
    ...createBlobQueries(database),
    ping() {
      touch.run();
    },
  };
}

export function createReads(database: Database): Operations<(typeof READS)[number]> {
  return {
    ...createDefinitionOperations(database),
    ...createRunQueries(database),
    ...createRejectionQueries(database),
    ...createDeliveryQueries(database),
  };
}
