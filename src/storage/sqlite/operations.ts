// All SQLite operations of the storage contract, by name. Writes run in the writer thread, inside the transaction of their
// batch; reads run in the two reader threads, each on a connection of its own.

import type { Database } from 'better-sqlite3';
import type { DeliveryState } from '../../core/delivery/delivery.ts';
import type { ClockStep } from '../../core/run/server-time.ts';
import type { ClaimLimit, DeliveryLease } from '../delivery-records.ts';
import type { CreateRunResult, CreateRunsResult, Idempotency, Lease } from '../runs/run-records.ts';
import type { Storage } from '../storage.ts';
import { DefinitionReader } from './definitions/read-definitions.ts';
import { createScheduleOperations } from './definitions/schedules.ts';
import { DefinitionWriter } from './definitions/write-definitions.ts';
import type { PackedClaims } from './deliveries/claimed-deliveries.ts';
import type { deliveryAttempts } from './deliveries/delivery-columns.ts';
import { DeliveryLeases } from './deliveries/delivery-leases.ts';
import { createDeliveryFinder } from './deliveries/find-delivery.ts';
import { OverflowGroups } from './deliveries/overflow.ts';
import { DeliveryReader } from './deliveries/read-deliveries.ts';
import { AttemptRecorder } from './deliveries/record-attempts.ts';
import { createDeliveryRetries } from './deliveries/retry-deliveries.ts';
import { FlowControl } from './flow/flow-control.ts';
import { createFlowQueries } from './flow/flow-counts.ts';
import { JobReader } from './jobs/job-reader.ts';
import { JobWriter } from './jobs/job-writer.ts';
import { createLoadQueries } from './lists/measure-load.ts';
import { createRunSearch } from './lists/search-runs.ts';
import { Owners } from './owners.ts';
import { PartBytesReader } from './parts/part-bytes.ts';
import { RunPartReader } from './parts/run-parts.ts';
import { createBlockOperations, createBlockQueries } from './refusals/blocked-clients.ts';
import { createRejectionOperations, createRejectionQueries } from './refusals/rejections.ts';
import { createBlobQueries, createRetentionOperations } from './retention.ts';
import { RunReader } from './runs/read-runs.ts';
import { createReplyOperations, createReplyQueries } from './runs/replies.ts';
import { RunClaims } from './runs/run-claims.ts';
import type { runs } from './runs/run-columns.ts';
import { createRunEndings } from './runs/run-endings.ts';
import { createRunResults } from './runs/run-results.ts';
import { createSampleOperations, createSampleQueries } from './runs/samples.ts';
import { createMemoryQueries } from './runs/step-memory.ts';
import type { turns } from './runs/turn-columns.ts';
import { RunWriter } from './runs/write-runs.ts';
import { createServerTimeOperations, type RecordedTime } from './server-time.ts';
import type { Stamp } from './stamp.ts';
import type { Packed } from './table.ts';

/** Reads that a caller, a run or a start waits for. */
export const READS = [
  'findWorkflow',
  'getRun',
  'getOutcome',
  'getHead',
  'listSteps',
  'listFiles',
  'findOutput',
  'readPart',
  'listRequestTimes',
  'readEvents',
  'findStream',
  'findReply',
  'getRejection',
  'listBlockedClients',
  'getDelivery',
  'countFlow',
  'getJob',
] as const;
/** Reads of many rows, for lists, counts and searches. No lookup waits for them. */
export const LISTS = [
  'listVersions',
  'listRuns',
  'searchRuns',
  'listRequests',
  'listRejections',
  'listJobs',
  'listSelectedRuns',
  'countSelectedRuns',
  'listSamples',
  'measureLoad',
] as const;
export const WRITES = [
  'changeDefinitions',
  'recordRejections',
  'blockClient',
  'unblockClient',
  'moveSchedule',
  'deleteSample',
  'ping',
  // These only read, but must see all earlier writes. The server needs the first to start.
  'loadDefinitions',
  'definitionsVersion',
  'listSchedules',
  'nextWake',
  'nextJobDue',
  'listDueOrigins',
  'readMemory',
  'findUnreferencedBlobs',
] as const;
/** Writes that take the stamp of the call as their first argument. */
export const STAMPED_WRITES = [
  'claimDueRuns',
  'renewLeases',
  'releaseRun',
  'recoverRuns',
  'reapOwners',
  'cancelRun',
  'storeReply',
  'renewDeliveries',
  'releaseDeliveries',
  'retryDeliveries',
  'pruneRuns',
  'createJob',
  'claimJobs',
  'recordJob',
  'cancelJob',
  'saveSample',
] as const;

type Read = (typeof READS)[number] | (typeof LISTS)[number] | 'listDeliveries';
type Write = (typeof WRITES)[number];
type StampedWrite = (typeof STAMPED_WRITES)[number];

/** Operations of the storage contract as a thread runs them: without promises. */
type Plain<Names extends keyof Storage> = { [Name in Names]: (...args: Parameters<Storage[Name]>) => Awaited<ReturnType<Storage[Name]>> };
type Stamped<Names extends keyof Storage> = {
  [Name in Names]: (stamp: Stamp, ...args: Parameters<Storage[Name]>) => Awaited<ReturnType<Storage[Name]>>;
};

/** Operations whose arguments or results cross packed. */
interface PackedWrites {
  createRun(...run: Packed<typeof runs>): CreateRunResult;
  createRuns(packed: Packed<typeof runs>[], key: Idempotency | null): CreateRunsResult;
  advanceRun(lease: Lease, turn: Packed<typeof turns>): boolean;
  recordAttempt(
    stamp: Stamp,
    delivery: DeliveryLease,
    attempt: Packed<typeof deliveryAttempts>,
    next: DeliveryState,
    waitingRun: { lease: Lease; turn: Packed<typeof turns> } | null,
  ): Awaited<ReturnType<Storage['recordAttempt']>>;
  claimDeliveries(stamp: Stamp, limits: ClaimLimit[]): PackedClaims;
}

/** Operations that are not part of the contract: the storage needs them to open and close. */
interface OwnWrites {
  registerOwner(): { owner: number; slot: number };
  retireOwner(owner: number): void;
  readServerTime(): RecordedTime;
  recordServerTime(seenAt: number, steps: readonly ClockStep[]): void;
}

export type Reads = Plain<Read>;
export type Writes = Plain<Write> & Stamped<StampedWrite> & PackedWrites & OwnWrites;
/** By name, the promise-returning form of an operation, as the main thread calls it. */
export type Call<Operations> = <Name extends keyof Operations & string>(
  name: Name,
  args: Operations[Name] extends (...args: infer Args) => unknown ? Args : never,
) => Promise<Operations[Name] extends (...args: never) => infer Result ? Result : never>;

export function createWrites(database: Database): Writes {
  const overflows = new OverflowGroups(database);
  const findDelivery = createDeliveryFinder(database);
  const flow = new FlowControl(database);
  const parts = { overflows, flow, endings: createRunEndings(database, overflows, flow), resultsOf: createRunResults(database) };
  const definitions = new DefinitionReader(database);
  const runs = new RunWriter(database, parts);
  const claims = new RunClaims(database, parts);
  const attempts = new AttemptRecorder(database, overflows, findDelivery, (lease, turn) => runs.advanceRun(lease, turn));
  return {
    ...bindAll(definitions, ['loadDefinitions', 'definitionsVersion']),
    ...bindAll(new DefinitionWriter(database, definitions, (sinkId) => flow.settle(sinkId)), ['changeDefinitions']),
    ...bindAll(runs, ['createRun', 'createRuns', 'advanceRun', 'cancelRun']),
    ...bindAll(claims, ['claimDueRuns', 'renewLeases', 'releaseRun', 'recoverRuns', 'nextWake']),
    ...bindAll(new Owners(database, (stamp, owner) => claims.recoverRuns(stamp, owner)), ['registerOwner', 'retireOwner', 'reapOwners']),
    ...bindAll(attempts, ['recordAttempt']),
    ...bindAll(new DeliveryLeases(database, overflows, findDelivery), [
      'claimDeliveries',
      'renewDeliveries',
      'releaseDeliveries',
      'listDueOrigins',
    ]),
    ...bindAll(new JobWriter(database), ['createJob', 'claimJobs', 'recordJob', 'cancelJob', 'nextJobDue']),
    ...createDeliveryRetries(database, overflows, findDelivery),
    ...createMemoryQueries(database),
    ...createReplyOperations(database),
    ...createSampleOperations(database),
    ...createRejectionOperations(database),
    ...createBlockOperations(database),
    ...createScheduleOperations(database),
    ...createRetentionOperations(database),
    ...createServerTimeOperations(database),
    ...createBlobQueries(database),
    ...createPing(database),
  };
}

export function createReads(database: Database, elapsedMs: () => number): Reads {
  const runs = new RunReader(database);
  return {
    ...bindAll(new DefinitionReader(database), ['findWorkflow', 'listVersions']),
    ...bindAll(runs, ['getRun', 'getOutcome', 'listRuns', 'listRequests', 'listRequestTimes', 'readEvents', 'findStream']),
    ...createLoadQueries(database),
    ...createRunSearch(database, runs, elapsedMs),
    ...bindAll(new RunPartReader(database), ['getHead', 'listSteps', 'listFiles']),
    ...bindAll(new PartBytesReader(database), ['findOutput', 'readPart']),
    ...bindAll(new DeliveryReader(database), ['getDelivery', 'listDeliveries']),
    ...createReplyQueries(database),
    ...createSampleQueries(database),
    ...bindAll(new JobReader(database), ['getJob', 'listJobs', 'listSelectedRuns', 'countSelectedRuns']),
    ...createRejectionQueries(database),
    ...createBlockQueries(database),
    ...createFlowQueries(database),
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
