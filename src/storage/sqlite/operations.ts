// All SQLite operations behind the storage contract, as the threads know them: writes run inside the transaction of
// their batch, reads on a connection of their own.

import type { Database } from 'better-sqlite3';
import type { DeliveryState } from '../../core/delivery.ts';
import type { DeliveryLease } from '../delivery-records.ts';
import type { Lease, Storage } from '../storage.ts';
import { createDefinitionOperations } from './definition-operations.ts';
import { createDeliveryOperations } from './delivery-operations.ts';
import { createDeliveryQueries } from './delivery-queries.ts';
import { createMemoryQueries } from './memory-operations.ts';
import { createOverflowOperations } from './overflow-operations.ts';
import type { PackedChange } from './packed-change.ts';
import type { PackedClaims } from './packed-claims.ts';
import type { PackedAttempt } from './packed-delivery.ts';
import type { PackedRun } from './packed-run.ts';
import { createRejectionOperations, createRejectionQueries } from './rejection-operations.ts';
import { createBlobQueries, createRetentionOperations } from './retention-operations.ts';
import { createRunClaims } from './run-claims.ts';
import { createRunEndings } from './run-endings.ts';
import { createRunOperations } from './run-operations.ts';
import { createRunQueries } from './run-queries.ts';
import { createRunResults } from './run-results.ts';
import { createServerTimeOperations } from './server-time-operations.ts';

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
  createRun: PackedRun;
  advanceRun: [lease: Lease, change: PackedChange];
  recordAttempt: [
    delivery: DeliveryLease,
    attempt: PackedAttempt,
    next: DeliveryState,
    turn: { lease: Lease; change: PackedChange } | null,
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
