// The events of a run's stream as values, and their `data:` lines as source 003 (HTTP Sink) words them. The text is
// made only when an event is sent; storage keeps the value.

import { stringifyJson } from '../json/json.ts';
import type { RunError, RunStatus } from './run.ts';

export interface ProgressEvent {
  /** From 1, without gaps. */
  seq: number;
  /** Whole per cent. */
  progress: number;
  step: string | null;
  message: string | null;
}

/** The last event of a stream. */
export interface EndEvent {
  seq: number;
  outcome: RunOutcome;
}

export type RunEvent = ProgressEvent | EndEvent;

/** How a run ended: the single source of both its last event and its lookup. */
export interface RunOutcome {
  status: RunStatus;
  /** JSON text. */
  output: string | null;
  error: RunError | null;
}

export const CANCELLED: RunError = { code: 'cancelled', message: 'the run was cancelled' };

/** Its sink drops runs that cannot start at once. */
export const DROPPED: RunError = { code: 'dropped', message: 'the sink had no place for this run, and drops such runs' };

/** Another run of its key was accepted shortly before. */
export const COOLING: RunError = {
  code: 'cooldown',
  message: 'another request was accepted shortly before, and the sink skips those that follow',
};

/** A later run has replaced it before it started. */
export function supersededBy(runId: string): RunError {
  return { code: 'superseded', message: `replaced by the later ${runId} before it started` };
}

export const POISONED: RunError = {
  code: 'poisoned',
  message: 'the server died three times while it worked on this run, and does not take it up again by itself; replay it by hand',
};

export function isEnd(event: RunEvent): event is EndEvent {
  return 'outcome' in event;
}

/** Returns the JSON text of an event. A run ends with `complete` or `error`, never both. */
export function eventData(runId: string, event: RunEvent): string {
  return isEnd(event) ? endData(runId, event.outcome) : progressData(runId, event);
}

function progressData(runId: string, { progress, step, message }: ProgressEvent): string {
  const stepField = step === null ? '' : `,"step":${JSON.stringify(step)}`;
  const messageField = message === null ? '' : `,"message":${JSON.stringify(message)}`;
  return `{"type":"progress","run_id":"${runId}","progress":${progress}${stepField}${messageField}}`;
}

function endData(runId: string, { status, output, error }: RunOutcome): string {
  if (status === 'completed') return `{"type":"complete","run_id":"${runId}","output":${output ?? 'null'}}`;
  return stringifyJson({ type: 'error', run_id: runId, error: error ?? CANCELLED });
}
