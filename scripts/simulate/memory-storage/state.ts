// The whole state of an in-memory database, which several owners share. Every change is synchronous, and so atomic.

import type { Clock } from '../../../src/clock.ts';
import { parseRunId } from '../../../src/core/run/run-id.ts';
import type { BlockedClient } from '../../../src/storage/refusals/client-store.ts';
import type { Rejection } from '../../../src/storage/refusals/rejection-store.ts';
import type { RequestTime } from '../../../src/storage/runs/run-queries.ts';
import type { Sample } from '../../../src/storage/samples/sample-store.ts';
import type { Break } from '../breaks.ts';
import { type DefinitionState, noDefinitions } from './definitions.ts';
import type { StoredJob } from './jobs.ts';
import { Owners } from './owners.ts';
import type { StoredDelivery, StoredRun } from './records.ts';
import type { LinedRun } from './runs/flow-control.ts';
import type { StoredKey } from './runs/idempotency-keys.ts';
import type { StoredMemory } from './runs/step-memory.ts';

export interface State {
  /** The clock of the storage. */
  readonly clock: Clock;
  readonly broken: Break | null;
  readonly owners: Owners;
  readonly definitions: DefinitionState;
  /** By run number. */
  readonly runs: Map<number, StoredRun>;
  /** Those that have not ended. */
  readonly openRuns: Set<StoredRun>;
  /** Unfinished runs of sinks with flow control, in the order of their places. */
  readonly lines: LinedRun[];
  /** By the id of a run that was not stored, the run that has its request in its batch. */
  readonly collected: Map<string, { runId: string; time: RequestTime }>;
  /** By sink and key, when they end. */
  readonly cooldowns: Map<string, Map<string, number>>;
  /** By id. */
  readonly deliveries: Map<string, StoredDelivery>;
  /** Those that are not finished. */
  readonly openDeliveries: Set<StoredDelivery>;
  readonly memory: Map<string, StoredMemory>;
  readonly keys: Map<string, StoredKey>;
  /** By position. */
  readonly rejections: Map<number, Rejection>;
  /** By range. */
  readonly blockedClients: Map<string, BlockedClient>;
  /** By run id. */
  readonly samples: Map<string, Sample>;
  /** By id, the oldest first. */
  readonly jobs: Map<string, StoredJob>;
  lastJob: number;
  lastDeliveryNo: number;
  lastRejection: number;
}

export function createState(clock: Clock, broken: Break | null = null): State {
  return {
    clock,
    broken,
    owners: new Owners(),
    definitions: noDefinitions(),
    runs: new Map(),
    openRuns: new Set(),
    lines: [],
    collected: new Map(),
    cooldowns: new Map(),
    deliveries: new Map(),
    openDeliveries: new Set(),
    memory: new Map(),
    keys: new Map(),
    rejections: new Map(),
    blockedClients: new Map(),
    samples: new Map(),
    jobs: new Map(),
    lastJob: 0,
    lastDeliveryNo: 0,
    lastRejection: 0,
  };
}

export function findRun(state: State, runId: string): StoredRun | undefined {
  const key = parseRunId(runId);
  const run = key === null ? undefined : state.runs.get(key.runNumber);
  return run?.runId === runId ? run : undefined;
}
