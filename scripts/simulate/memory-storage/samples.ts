// Samples: runs that retention leaves.

import { parseJson } from '../../../src/core/json/json.ts';
import type { RequestHead } from '../../../src/core/run/request.ts';
import { MAX_SAMPLE_BYTES, MAX_SAMPLES_BYTES, MAX_SAMPLES_OF_SINK } from '../../../src/core/run/sample-limits.ts';
import type { NewSample, Sample, SaveSampleResult } from '../../../src/storage/samples/sample-store.ts';
import { findRun, type State } from './state.ts';

export function saveSample(state: State, sinkId: string, { runId, name }: NewSample): SaveSampleResult {
  const { samples, clock, definitions } = state;
  const run = findRun(state, runId);
  const isOfSink = run?.sinkId === sinkId && definitions.sinks.some(({ id, isDeleted }) => id === sinkId && !isDeleted);
  if (run === undefined || !isOfSink) return { kind: 'no_run' };
  const earlier = samples.get(runId);
  if (earlier !== undefined) return keep(state, { ...earlier, name });
  const { files = [] } = parseJson(run.request) as Partial<RequestHead>;
  const bytes = files.reduce((sum, { size }) => sum + size, Buffer.byteLength(run.request) + run.body.byteLength);
  if (bytes > MAX_SAMPLE_BYTES) return { kind: 'too_large' };
  if (listSamples(state, sinkId).length >= MAX_SAMPLES_OF_SINK) return { kind: 'too_many' };
  if ([...samples.values()].reduce((sum, sample) => sum + sample.bytes, bytes) > MAX_SAMPLES_BYTES) return { kind: 'full' };
  return keep(state, { runId, sinkId, name, bytes, savedAt: clock() });
}

function keep({ samples }: State, sample: Sample): SaveSampleResult {
  samples.set(sample.runId, sample);
  return { kind: 'saved', sample: { ...sample } };
}

export function deleteSample({ samples }: State, sinkId: string, runId: string): boolean {
  return samples.get(runId)?.sinkId === sinkId && samples.delete(runId);
}

export function listSamples({ samples }: State, sinkId: string): Sample[] {
  return [...samples.values()]
    .filter((sample) => sample.sinkId === sinkId)
    .sort((a, b) => (a.runId < b.runId ? 1 : -1))
    .map((sample) => ({ ...sample }));
}
