// The storage of runs, read in bounded parts: what there is to see of a run, without its bodies and outputs.

import type { BodyOutline, FileHandle } from '../../core/run/request.ts';
import type { RunSummary } from './run-queries.ts';
import type { StepRecord } from './run-records.ts';

/** A run without its lists, which are read page by page. Messages of errors are cut after MESSAGE_CHARACTERS (core/run/run.ts). */
export interface RunHead extends RunSummary, BodyOutline {
  /** In bytes. Null: there is no output. */
  outputSize: number | null;
  /** Of the workflow. Null: it was deleted, or the run has none. */
  latestVersion: number | null;
  /** JSON text of the RequestHead without `files`, `payload` and `batch`. */
  request: string;
  deliveryCount: number;
  fileCount: number;
}

/** Visits of steps in the order of `getRun`, and how many the run has. */
export interface StepPage {
  steps: StepOutline[];
  total: number;
}

/** A visit of a step without its outputs. */
export interface StepOutline extends Omit<StepRecord, 'outputs' | 'chosen' | 'backTo'> {
  /** In bytes. Null: there are none. */
  outputSize: number | null;
}

/** Bytes of a run that may be many. Outputs are JSON text. */
export type RunPart = { kind: 'body' } | { kind: 'output' } | { kind: 'outputs'; step: string; visit: number };

export interface RunPartStore {
  /** Returns what there is to see of a run. Null: there is none. */
  getHead(runId: string): Promise<RunHead | null>;
  /** Returns visits of steps from the one with index `from` on. Null: there is no such run. */
  listSteps(runId: string, from: number, limit: number): Promise<StepPage | null>;
  /** Returns the received files in their order, from the one with index `from` on. Null: there is no such run. */
  listFiles(runId: string, from: number, limit: number): Promise<FileHandle[] | null>;
  /** Returns how many bytes an output has, and whether it contains a text. Null: there is no such output. */
  findOutput(runId: string, part: Exclude<RunPart, { kind: 'body' }>, text: string): Promise<{ size: number; hasText: boolean } | null>;
  /** Returns at most `length` bytes of a part, from the byte `from` on. Null: there is no such part. */
  readPart(runId: string, part: RunPart, from: number, length: number): Promise<Uint8Array | null>;
}
