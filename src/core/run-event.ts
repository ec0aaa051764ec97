// The events of a run's stream, as source 003 (HTTP Sink) writes their `data:` lines.

import { stringifyJson } from './json.ts';
import type { RunError, RunStatus } from './run.ts';

/** An entry of a run's stream; `data` is its JSON text. */
export interface RunEvent {
  /** From 1, without gaps. */
  seq: number;
  data: string;
}

export interface ProgressDetail {
  step?: string;
  message?: string;
}

export function progressData(runId: string, progress: number, detail: ProgressDetail = {}): string {
  const { step, message } = detail;
  const stepField = step === undefined ? '' : `,"step":${JSON.stringify(step)}`;
  const messageField = message === undefined ? '' : `,"message":${JSON.stringify(message)}`;
  return `{"type":"progress","run_id":"${runId}","progress":${progress}${stepField}${messageField}}`;
}

/** `output` is JSON text already. */
function completeData(runId: string, output: string): string {
  return `{"type":"complete","run_id":"${runId}","output":${output}}`;
}

export function errorData(runId: string, error: RunError): string {
  return stringifyJson({ type: 'error', run_id: runId, error });
}

export const CANCELLED: RunError = { code: 'cancelled', message: 'the run was cancelled' };

/** How a run ended: the one truth from which both its last event and its lookup are made. */
export interface RunOutcome {
  status: RunStatus;
  /** JSON text. */
  output: string | null;
  error: RunError | null;
}

/** The last event of a run that has ended: `complete` or `error`, never both. */
export function terminalData(runId: string, { status, output, error }: RunOutcome): string {
  return status === 'completed' ? completeData(runId, output ?? 'null') : errorData(runId, error ?? CANCELLED);
}

/** Tells progress from the events that end a stream. */
export function isTerminalData(data: string): boolean {
  return !data.startsWith('{"type":"progress"');
}
