// What starts a run, and what is known of the run once it is on disk.

import type { Replay } from '../../core/run/replay.ts';
import type { Request, RequestBody, RequestHead } from '../../core/run/request.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import type { FlowSetting } from '../../core/sink/limits/flow-setting.ts';
import type { Workflow, WorkflowVersion } from '../../core/workflow/plan.ts';
import type { Idempotency, StepRecord, Turn } from '../../storage/runs/run-records.ts';
import type { KeptSteps, WorkflowReference } from '../execution/program.ts';

export interface Trigger<Version extends WorkflowVersion = Workflow> {
  appId: string;
  sinkId: string;
  /** The planned workflow of the sink. */
  workflow: Version;
  /** Null if the sink names no workflow. */
  workflowReference: WorkflowReference | null;
  head: RequestHead;
  body: RequestBody;
  /** Includes the body's value; null for a large body, which is decoded later. */
  request: Request | null;
  /** How to decode a large body. */
  reading?: unknown;
  /** By input of the workflow, the selector that the sink sets for it. */
  inputMapping: Readonly<Record<string, string>>;
  /** When the run may start; null for at once. */
  flow: FlowSetting | null;
  idempotency: Idempotency | null;
  /** Absent: the trigger is a request to the sink. */
  replay?: ReplayStart;
}

export interface ReplayStart extends Replay {
  /** Null: the run begins with its first steps. */
  kept: KeptSteps | null;
}

/** A run that is on disk. */
export interface Dispatched {
  runId: string;
  /** All events of the stream so far; empty for a duplicate. */
  events: readonly RunEvent[];
  /** The visit of a step that has answered within its first commit; null for none, and for a duplicate. */
  answer: StepRecord | null;
  /** How the run ended, when it ended within its first commit. */
  ended: Pick<Turn, 'status' | 'output' | 'error' | 'steps'> | null;
  /** The idempotency key named an earlier run, and this is that run. */
  isDuplicate: boolean;
  /** Flow control starts the run: it may have gone on, or ended, since it was stored. */
  isQueued: boolean;
}

/** Resolves when the run and its input are on disk. Rejects with `unavailable`, `unprocessable` or, if flow control refuses the run, `rate_limited`. */
export type Dispatch<Version extends WorkflowVersion = Workflow> = (trigger: Trigger<Version>) => Promise<Dispatched>;

/**
 * Starts several runs, all or none. As `Dispatch`; an error says which one in `details.item`. With `shared` they are the runs of one
 * request, whose key names all of them: a repeated request gets the runs of the first.
 */
export type DispatchAll<Version extends WorkflowVersion = Workflow> = (
  triggers: readonly Trigger<Version>[],
  shared?: SharedRequest,
) => Promise<Dispatched[]>;

/** The triggers have no keys of their own. */
export interface SharedRequest {
  idempotency: Idempotency | null;
}

/** A trigger whose body is decoded. */
export type SmallTrigger<Version extends WorkflowVersion = Workflow> = Trigger<Version> & { request: Request };
