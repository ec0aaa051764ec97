// Reads runs: one run, its events, and pages of runs.

import type { RequestHead } from '../../../../src/core/run/request.ts';
import { isTerminal } from '../../../../src/core/run/run.ts';
import type { RunEvent } from '../../../../src/core/run/run-event.ts';
import { parseRunId, runNumberAt } from '../../../../src/core/run/run-id.ts';
import type {
  RequestRecord,
  RequestTime,
  RunFilter,
  RunOutcomeRecord,
  RunRecord,
  RunSummary,
  StoredEvents,
  StreamPosition,
} from '../../../../src/storage/runs/run-queries.ts';
import type { StepRecord } from '../../../../src/storage/runs/run-records.ts';
import type { StoredRun } from '../records.ts';
import { findRun, type State } from '../state.ts';

export function getRun(state: State, runId: string): RunRecord | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  const { request, bodyKind, bodyCharset, body } = run;
  return { ...toOutcome(run), request, bodyKind, bodyCharset, body };
}

export function getOutcome(state: State, runId: string): RunOutcomeRecord | null {
  const run = findRun(state, runId);
  return run === undefined ? null : toOutcome(run);
}

export function readEvents(state: State, runId: string, after: number): StoredEvents | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  const ended = isTerminal(run.status);
  const events: RunEvent[] = run.events.filter(({ seq }) => seq > after);
  const { status, output, error, lastSeq: seq } = run;
  if (ended && seq > after) events.push({ seq, outcome: { status, output, error } });
  return { events, ended, sinkId: run.sinkId };
}

export function findStream(state: State, runId: string): StreamPosition | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  const { lastSeq, status, sinkId, bodyKind, body, request, output, events } = run;
  const bytes = JSON.stringify(events).length + (output?.length ?? 0) + outputBytes(run);
  return {
    lastSeq,
    ended: isTerminal(status),
    sinkId,
    isBatch: bodyKind === 'batch',
    bytes,
    requestBytes: body.byteLength + request.length,
  };
}

export function listRuns(state: State, filter: RunFilter): RunSummary[] {
  return matchingRuns(state, filter).slice(0, filter.limit).map(toSummary);
}

/** The runs of a filter, newest first, whatever its limit. */
export function matchingRuns(state: State, { appId, sinkId, status, since = 0, until, after = '' }: RunFilter): StoredRun[] {
  const statuses = status === undefined ? null : [status].flat();
  const from = runNumberAt(since);
  const before = Math.min(
    until === undefined ? Number.MAX_SAFE_INTEGER : runNumberAt(until),
    parseRunId(after)?.runNumber ?? Number.MAX_SAFE_INTEGER,
  );
  return [...state.runs.values()]
    .filter((run) => run.runNumber >= from && run.runNumber < before)
    .filter(
      (run) => run.appId === (appId ?? run.appId) && run.sinkId === (sinkId ?? run.sinkId) && (statuses?.includes(run.status) ?? true),
    )
    .sort((a, b) => b.runNumber - a.runNumber);
}

export function listRequests(state: State, sinkId: string, after: string, limit: number): RequestRecord[] {
  const last = parseRunId(after)?.runNumber ?? 0;
  return [...state.runs.values()]
    .filter((run) => run.sinkId === sinkId && run.runNumber > last)
    .sort((a, b) => a.runNumber - b.runNumber)
    .slice(0, limit)
    .map(({ runId, request, bodyKind, body }) => ({ runId, request, bodyKind, bodySize: body.byteLength }));
}

export function listRequestTimes({ runs, collected }: State, sinkId: string, since: number, limit: number): RequestTime[] {
  const times: RequestTime[] = [];
  for (const { runId, sinkId: of, createdAt: at, request, replay } of runs.values()) {
    const head = JSON.parse(request) as RequestHead;
    if (of !== sinkId || replay !== null || head.schedule !== undefined) continue;
    times.push({ at, receivedAt: head.received_at, clientIp: head.batch?.[0]?.client_ip ?? head.client_ip });
    for (const { runId: batch, time } of collected.values()) if (batch === runId) times.push(time);
  }
  return times
    .filter(({ at }) => at >= since)
    .sort((a, b) => b.at - a.at)
    .slice(0, limit);
}

/** Bytes that are decoded to continue the run. */
export function storedBytes(run: StoredRun): number {
  return run.body.byteLength + run.request.length + (run.inputs?.length ?? 0) + outputBytes(run);
}

function outputBytes({ steps }: StoredRun): number {
  let bytes = 0;
  for (const { outputs } of steps.values()) bytes += outputs?.length ?? 0;
  return bytes;
}

export function toSummary({
  runId: id,
  appId,
  sinkId,
  workflow,
  replay,
  status,
  progress,
  error,
  createdAt,
  finishedAt,
}: StoredRun): RunSummary {
  return { id, appId, sinkId, workflow, replay, status, progress, error, createdAt, finishedAt };
}

function toOutcome(run: StoredRun): RunOutcomeRecord {
  const records = [...run.steps.values()];
  const later = records.slice(run.firstSteps).sort(byStart);
  return { ...toSummary(run), lastSeq: run.lastSeq, output: run.output, steps: [...records.slice(0, run.firstSteps), ...later] };
}

const beganAt = ({ startedAt, finishedAt }: StepRecord): number => startedAt ?? finishedAt ?? Number.MAX_SAFE_INTEGER;
const byStart = (a: StepRecord, b: StepRecord): number => beganAt(a) - beganAt(b) || a.visit - b.visit;
