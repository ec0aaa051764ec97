// Runs a stored request again, as a new run of its sink.

import { parseJson } from '../../core/json/json.ts';
import { decodeBody, type RequestHead } from '../../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { Dispatched } from '../../engine/dispatch/trigger.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../files/blobs.ts';
import type { RunRecord } from '../../storage/run-records.ts';
import { type RunStarter, startRun } from '../trigger/start-run.ts';

export interface ReplayDependencies extends RunStarter {
  catalog: Pick<Catalog, 'findSink' | 'workflowOf'>;
  blobs: Pick<BlobStore, 'renew'>;
  /** By the wall clock, as the dates of blobs. */
  now: number;
}

/** Rejects with `conflict` when the sink was deleted. */
export async function replayRun(run: RunRecord, dependencies: ReplayDependencies): Promise<Dispatched> {
  const { catalog, blobs, now } = dependencies;
  const sink = catalog.findSink(run.sinkId);
  if (sink === undefined) throw new AppError('conflict', 'the sink of this run was deleted, so its request cannot be replayed');
  const head = parseJson(run.request) as RequestHead;
  // Retention may remove the old run's files before the new run refers to them.
  await blobs.renew(
    head.files.map(({ sha256 }) => sha256),
    now,
  );
  const body = { kind: run.bodyKind, bytes: run.body, charset: run.bodyCharset };
  const request = body.bytes.byteLength > LARGE_RUN_BYTES ? null : { ...head, body: decodeBody(body, head.files) };
  return await startRun(dependencies, sink, { head, body, request }, null);
}
