// Runs as they are read: one, a list, their requests, their events and how many there are.

import type { Replay } from '../../core/run/replay.ts';
import type { BodyOutline } from '../../core/run/request.ts';
import type { RunError, RunStatus } from '../../core/run/run.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import type { StepRecord, StoredRequest } from './run-records.ts';

export interface RunSummary {
  id: string;
  appId: string;
  sinkId: string;
  workflow: { id: string; version: number } | null;
  replay: Replay | null;
  status: RunStatus;
  progress: number;
  error: RunError | null;
  createdAt: number;
  finishedAt: number | null;
}

/** A run with all visits of its steps, in the order in which they began. */
export interface RunOutcomeRecord extends RunSummary {
  lastSeq: number;
  output: string | null;
  steps: StepRecord[];
}

export interface RunRecord extends RunOutcomeRecord, StoredRequest {}

export interface RunFilter {
  appId?: string;
  sinkId?: string;
  status?: RunStatus | readonly RunStatus[];
  /** Created at or after this time. */
  since?: number;
  /** Created before this time. */
  until?: number;
  limit: number;
  /** The id of the last run on the previous page. */
  after?: string;
}

/** The request of a run without its body. */
export interface RequestRecord extends BodyOutline {
  runId: string;
  /** JSON text of the RequestHead. */
  request: string;
}

/** When a request came that started a run. */
export interface RequestTime {
  /** By the clock of the storage. */
  at: number;
  /** Wall time: the same for all runs of one request. */
  receivedAt: number;
  clientIp: string;
}

/** The position of a run's stream. */
export interface StreamPosition {
  /** Seq of the last stored event. */
  lastSeq: number;
  ended: boolean;
  /** The sink whose token opens the stream. */
  sinkId: string;
  /** The run is a batch, whose id all its callers have. */
  isBatch: boolean;
  /** Stored bytes of events, output and steps. */
  bytes: number;
  /** Stored bytes of the request. */
  requestBytes: number;
}

export interface StoredEvents {
  events: RunEvent[];
  ended: boolean;
  /** The sink whose token opens the stream. */
  sinkId: string;
}

/** The unfinished runs of a sink with flow control. Each count ends at FLOW_COUNT_LIMIT. */
export interface FlowCount {
  inFlight: number;
  held: number;
}

export const FLOW_COUNT_LIMIT = 10_000;
