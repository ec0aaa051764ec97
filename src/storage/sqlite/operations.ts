// All SQLite operations of the storage contract, by name. Writes run in the writer thread, inside the transaction of their
// batch; reads run in the reader thread, on a connection of their own.

import type { Database } from 'better-sqlite3';
import type { DeliveryState } from '../../core/delivery/delivery.ts';
import type { DeliveryLease } from '../delivery-records.ts';
import type { Lease } from '../run-records.ts';
import type { Storage } from '../storage.ts';
import { DefinitionReader } from './definitions/read-definitions.ts';
import { DefinitionWriter } from './definitions/write-definitions.ts';
import type { PackedClaims } from './deliveries/claimed-deliveries.ts';
import type { deliveryAttempts } from './deliveries/delivery-columns.ts';
import { DeliveryLeases } from './deliveries/delivery-leases.ts';
import { createDeliveryFinder } from './deliveries/find-delivery.ts';
import { OverflowGroups } from './deliveries/overflow.ts';
import { DeliveryReader } from './deliveries/read-deliveries.ts';
import { AttemptRecorder } from './deliveries/record-attempts.ts';
import { createDeliveryRetries } from './deliveries/retry-deliveries.ts';
import { createRejectionOperations, createRejectionQueries } from './rejections.ts';
import { createBlobQueries, createRetentionOperations } from './retention.ts';
import { RunReader } from './runs/read-runs.ts';
import { RunClaims } from './runs/run-claims.ts';
import type { runs } from './runs/run-columns.ts';
import { createRunEndings } from './runs/run-endings.ts';
import { createRunResults } from './runs/run-results.ts';
import { createMemoryQueries } from './runs/step-memory.ts';
import type { turns } from './runs/turn-columns.ts';
import { RunWriter } from './runs/write-runs.ts';
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
  // These only read, but must see all earlier writes. The server needs the first three to start.
  'readServerTime',
  'loadDefinitions',
  'nextWake',
  'listDueOrigins',
  'readMemory',
  'findUnreferencedBlobs',
] as const;

export type OperationName = (typeof READS)[number] | (typeof WRITES)[number];

/** The operations with packed arguments. */
interface PackedArguments {
  createRun: Packed<typeof runs>;
  advanceRun: [lease: Lease, turn: Packed<typeof turns>];
  recordAttempt: [
    delivery: DeliveryLease,
    attempt: Packed<typeof deliveryAttempts>,
    next: DeliveryState,
    waitingRun: { lease: Lease; turn: Packed<typeof turns> } | null,
  ];
}

/** The operations with packed results. */
interface PackedResults {
  claimDeliveries: PackedClaims;
}

/** The storage methods as a thread runs them: without promises, and some with packed arguments or results. */
type Operations<Names extends OperationName> = {
  [Name in Names]: (
    ...args: Name extends keyof PackedArguments ? PackedArguments[Name] : Parameters<Storage[Name]>
  ) => Name extends keyof PackedResults ? PackedResults[Name] : Awaited<ReturnType<Storage[Name]>>;
};

export function createWrites(database: Database): Operations<(typeof WRITES)[number]> {
  const overflows = new OverflowGroups(database);
  const findDelivery = createDeliveryFinder(database);
  const parts = { overflows, endings: createRunEndings(database, overflows), resultsOf: createRunResults(database) };
  const definitions = new DefinitionReader(database);
  const runs = new RunWriter(database, parts);
  const attempts = new AttemptRecorder(database, overflows, findDelivery, (lease, turn) => runs.advanceRun(lease, turn));
  return {
    ...bindAll(definitions, ['loadDefinitions']),
    ...bindAll(new DefinitionWriter(database, definitions), ['changeDefinitions']),
    ...bindAll(runs, ['createRun', 'advanceRun', 'cancelRun']),
    ...bindAll(new RunClaims(database, parts), ['claimDueRuns', 'renewLeases', 'releaseRun', 'recoverRuns', 'nextWake']),
    ...bindAll(attempts, ['recordAttempt']),
    ...bindAll(new DeliveryLeases(database, overflows, findDelivery), [
      'claimDeliveries',
      'renewDeliveries',
      'releaseDeliveries',
      'listDueOrigins',
    ]),
    ...createDeliveryRetries(database, overflows, findDelivery),
    ...createMemoryQueries(database),
    ...createRejectionOperations(database),
    ...createRetentionOperations(database),
    ...createServerTimeOperations(database),
    ...createBlobQueries(database),
    ...createPing(database),
  };
}

export function createReads(database: Database): Operations<(typeof READS)[number]> {
  return {
    ...bindAll(new DefinitionReader(database), ['findWorkflow']),
    ...bindAll(new RunReader(database), ['getRun', 'getOutcome', 'listRuns', 'readEvents', 'findStream']),
    ...bindAll(new DeliveryReader(database), ['getDelivery', 'listDeliveries']),
    ...createRejectionQueries(database),
  };
}

function createPing(database: Database) {
  // A commit that changes nothing does not reach the disk, so this statement sets a row to its own value.
  const touch = database.prepare('UPDATE database_state SET commit_seq = commit_seq');
  return {
    ping(): void {
      touch.run();
    },
  };
}

/** Returns methods of an object as a record of functions, as operations are called by name. */
function bindAll<Part extends object, Name extends keyof Part>(part: Part, names: readonly Name[]): Pick<Part, Name> {
  const bound = names.map((name) => [name, (part[name] as (...args: unknown[]) => unknown).bind(part)]);
  return Object.fromEntries(bound) as Pick<Part, Name>;
}
