// Reads runs in bounded parts.

import type { FileHandle, RequestHead } from '../../../../src/core/run/request.ts';
import { MESSAGE_CHARACTERS, type RunError } from '../../../../src/core/run/run.ts';
import type { RunHead, RunPart, StepPage } from '../../../../src/storage/runs/part-store.ts';
import { findWorkflow } from '../definitions.ts';
import type { StoredRun } from '../records.ts';
import { findRun, type State } from '../state.ts';
import { getOutcome } from './run-reads.ts';

export function getHead(state: State, runId: string): RunHead | null {
  const [run, outcome] = [findRun(state, runId), getOutcome(state, runId)];
  if (run === undefined || outcome === null) return null;
  const { steps: _steps, output, lastSeq: _lastSeq, ...summary } = outcome;
  const { files = [], payload: _payload, batch: _batch, ...head } = JSON.parse(run.request) as Partial<RequestHead>;
  return {
    ...summary,
    error: cutError(summary.error),
    outputSize: sizeOf(output),
    latestVersion: run.workflow === null ? null : (findWorkflow(state, run.appId, run.workflow.id, null)?.version ?? null),
    request: JSON.stringify(head),
    bodyKind: run.bodyKind,
    bodySize: run.body.byteLength,
    deliveryCount: run.deliveries.length,
    fileCount: files.length,
  };
}

export function listSteps(state: State, runId: string, from: number, limit: number): StepPage | null {
  const all = getOutcome(state, runId)?.steps ?? null;
  if (all === null) return null;
  const steps = all.slice(from, from + limit).map(({ outputs, chosen: _chosen, backTo: _backTo, ...step }) => ({
    ...step,
    error: cutError(step.error),
    outputSize: sizeOf(outputs),
  }));
  return { steps, total: all.length };
}

export function listFiles(state: State, runId: string, from: number, limit: number): FileHandle[] | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  return ((JSON.parse(run.request) as Partial<RequestHead>).files ?? []).slice(from, from + limit);
}

export function findOutput(state: State, runId: string, part: Exclude<RunPart, { kind: 'body' }>, text: string) {
  const bytes = readPart(state, runId, part, 0, Number.POSITIVE_INFINITY);
  return bytes === null ? null : { size: bytes.byteLength, hasText: bytes.includes(text) };
}

export function readPart(state: State, runId: string, part: RunPart, from: number, length: number): Buffer | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  if (part.kind === 'body') return Buffer.from(run.body).subarray(from, from + length);
  const text = part.kind === 'output' ? run.output : outputsOf(run, part);
  return text === null ? null : Buffer.from(text).subarray(from, from + length);
}

function outputsOf({ steps }: StoredRun, { step, visit }: Extract<RunPart, { kind: 'outputs' }>): string | null {
  return [...steps.values()].find((record) => record.step === step && record.visit === visit)?.outputs ?? null;
}

function sizeOf(text: string | null): number | null {
  return text === null ? null : Buffer.byteLength(text);
}

function cutError(error: RunError | null): RunError | null {
  if (error === null || Buffer.byteLength(JSON.stringify(error)) <= MESSAGE_CHARACTERS) return error;
  return { ...error, message: error.message.slice(0, MESSAGE_CHARACTERS) };
}
