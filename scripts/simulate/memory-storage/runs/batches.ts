// Open batches: requests are collected, and their run gets them all at once.

import { joinBatches, MAX_BATCH_BYTES } from '../../../../src/core/run/batch.ts';
import { parseRunId } from '../../../../src/core/run/run-id.ts';
import type { NewRun } from '../../../../src/storage/runs/run-records.ts';

export type Collecting = Pick<NewRun, 'runId' | 'request' | 'body'>;

interface Batch {
  run: Collecting;
  later: Collecting[];
}

export function fits({ run, later }: Batch, request: Collecting): boolean {
  return [run, ...later, request].map(bytesOf).reduce((sum, bytes) => sum + bytes, 0) <= MAX_BATCH_BYTES;
}

/** Gives the run all requests of its batch, in the order of their ids. */
export function joinRequests({ run, later }: Batch): void {
  if (later.length > 0) Object.assign(run, joinBatches([run, ...later.sort((a, b) => numberOf(a) - numberOf(b))]));
  later.length = 0;
}

function bytesOf({ request, body }: Collecting): number {
  return Buffer.byteLength(request) + body.byteLength;
}

function numberOf({ runId }: Collecting): number {
  return parseRunId(runId)?.runNumber ?? 0;
}
