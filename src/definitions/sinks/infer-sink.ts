// Makes a schema and inputs of a sink from the requests that it recorded, and names those that tell most.

import { type InferredInputs, inferInputs } from '../../core/infer/infer-inputs.ts';
import { inferSchema } from '../../core/infer/infer-schema.ts';
import { ShapeOfBodies } from '../../core/infer/shape.ts';
import { parseJson } from '../../core/json/json.ts';
import { decodeBody, type RequestHead } from '../../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import type { JsonSchema } from '../../core/schema.ts';
import type { RunRecord } from '../../storage/runs/run-queries.ts';
import type { Storage } from '../../storage/storage.ts';

export interface InferredSink {
  /** Requests that were read, and those whose bodies are files, empty, or too large to decode here. */
  requests: number;
  leftOut: number;
  schema: JsonSchema;
  inputs: InferredInputs;
  /** Runs whose bodies showed something new, at most MAX_TELLING. */
  telling: string[];
}

const MAX_TELLING = 10;
/** Larger runs are not read. */
const MAX_RUN_BYTES = 2 ** 20;

type Reads = Pick<Storage, 'listRuns' | 'listSamples' | 'findStream' | 'getRun'>;

/** Reads the samples of the sink, and its latest runs up to `limit`. One run is in memory at a time. */
export async function inferSink(storage: Reads, sinkId: string, limit: number): Promise<InferredSink> {
  const shape = new ShapeOfBodies();
  const telling: string[] = [];
  let requests = 0;
  let leftOut = 0;
  let schema = inferSchema(shape.root);
  for (const runId of await runsToRead(storage, sinkId, limit)) {
    const stored = await storage.findStream(runId);
    // Retention may have removed it, now or before the next read.
    if (stored === null) continue;
    const run = stored.bytes + stored.requestBytes > MAX_RUN_BYTES ? null : await storage.getRun(runId);
    const body = run === null ? undefined : bodyOf(run);
    if (body === undefined) leftOut += 1;
    else {
      requests += 1;
      shape.observe(body);
      const wider = inferSchema(shape.root);
      if (JSON.stringify(wider) !== JSON.stringify(schema) && telling.length < MAX_TELLING) telling.push(runId);
      schema = wider;
    }
    // Callers come between two bodies.
    await new Promise(setImmediate);
  }
  return { requests, leftOut, schema, inputs: inferInputs(shape.root), telling };
}

/** A replay has the request of another run. */
async function runsToRead(storage: Reads, sinkId: string, limit: number): Promise<Set<string>> {
  const samples = await storage.listSamples(sinkId);
  const runs = await storage.listRuns({ sinkId, limit });
  return new Set([...samples.map(({ runId }) => runId), ...runs.filter(({ replay }) => replay === null).map(({ id }) => id)]);
}

/** Undefined for a body that says nothing here. */
function bodyOf({ request, bodyKind, bodyCharset, body }: RunRecord): unknown {
  if (bodyKind === 'file' || bodyKind === 'empty' || body.byteLength > LARGE_RUN_BYTES) return undefined;
  const { files } = parseJson(request) as RequestHead;
  try {
    return decodeBody({ kind: bodyKind, bytes: body, charset: bodyCharset }, files);
  } catch {
    return undefined;
  }
}
