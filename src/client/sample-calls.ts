// Calls of the admin API for what came to a sink, one method per route, and their wire types.

import { at, type ServerCalls } from './server-calls.ts';
import type { Time } from './wire/wire-types.ts';

/** A run whose request is kept; the run itself shows the request. */
export interface SampleInfo {
  run_id: string;
  name: string | null;
  /** Of the request with its files. */
  bytes: number;
  saved_at: Time;
}

export interface InferredSink {
  /** Requests that were read, and those whose bodies are files, empty or too large. */
  requests: number;
  left_out: number;
  /** Runs whose requests showed something new. */
  telling_run_ids: string[];
  /** Fields of the sink. */
  sink: { schema: object; inputs: Record<string, string> };
  /** Members of a workflow definition. */
  workflow: { inputs: object[] };
  /** Fields of bodies that became no input, because there are too many. */
  fields_left_out: number;
}

export const sampleCalls = (server: ServerCalls) => ({
  list: async (appId: string, sinkId: string) =>
    (await server.call<{ samples: SampleInfo[] }>('GET', at`/api/v1/apps/${appId}/sinks/${sinkId}/samples`)).samples,
  /** A run that is a sample already gets the name. */
  save: (appId: string, sinkId: string, sample: { run_id: string; name?: string | null }) =>
    server.call<SampleInfo>('POST', at`/api/v1/apps/${appId}/sinks/${sinkId}/samples`, { body: sample }),
  delete: (appId: string, sinkId: string, runId: string) =>
    server.call<null>('DELETE', at`/api/v1/apps/${appId}/sinks/${sinkId}/samples/${runId}`),
  /** From the samples of the sink, and its latest runs up to `limit`. */
  infer: (appId: string, sinkId: string, options: { limit?: number } = {}) =>
    server.call<InferredSink>('GET', at`/api/v1/apps/${appId}/sinks/${sinkId}/inferred`, { query: options }),
});
