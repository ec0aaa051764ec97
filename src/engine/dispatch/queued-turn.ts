// The first turn of a run that flow control starts: nothing is planned yet.

import type { ProgressEvent, RunEvent } from '../../core/run/run-event.ts';
import { COOLING, DROPPED } from '../../core/run/run-event.ts';
import type { FlowDecision, Turn } from '../../storage/runs/run-records.ts';
import type { Dispatched } from './trigger.ts';

const QUEUED: ProgressEvent = { seq: 1, progress: 0, step: null, message: 'queued' };
const DROPPED_RUN: NonNullable<Dispatched['ended']> = { status: 'cancelled', output: null, error: DROPPED, steps: [] };
const SKIPPED_RUN: NonNullable<Dispatched['ended']> = { ...DROPPED_RUN, error: COOLING };
const EVENTS: readonly RunEvent[] = [QUEUED];

export function queuedTurn(at: number): Turn {
  return {
    status: 'queued',
    progress: 0,
    events: [QUEUED],
    lastSeq: 1,
    steps: [],
    deliveries: [],
    memory: [],
    wakeAt: null,
    output: null,
    error: null,
    at,
  };
}

/** What is known of the run once it is on disk. */
export function dispatchedRun(runId: string, { state }: FlowDecision): Dispatched {
  const ended = state === 'dropped' ? DROPPED_RUN : state === 'skipped' ? SKIPPED_RUN : null;
  return {
    runId,
    events: ended === null ? EVENTS : [QUEUED, { seq: 2, outcome: ended }],
    answer: null,
    ended,
    isDuplicate: false,
    isQueued: true,
  };
}
