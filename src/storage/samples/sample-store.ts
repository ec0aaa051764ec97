// The storage of samples: runs whose requests are kept as examples of what comes to their sink.

export interface NewSample {
  runId: string;
  name: string | null;
}

export interface Sample extends NewSample {
  sinkId: string;
  /** Of the request with its files. */
  bytes: number;
  savedAt: number;
}

/**
 * By core/run/sample-limits.ts, `too_large`: beyond MAX_SAMPLE_BYTES. `too_many`: the sink has MAX_SAMPLES_OF_SINK. `full`: all samples would be beyond
 * MAX_SAMPLES_BYTES. `no_run`: there is no such run of the sink.
 */
export type SaveSampleResult = { kind: 'saved'; sample: Sample } | { kind: 'too_large' | 'too_many' | 'full' | 'no_run' };

export interface SampleStore {
  /**
   * Keeps the run of a sink as a sample, or gives a sample a new name. Stores nothing unless the result is `saved`.
   * The same call again has the same result.
   */
  saveSample(sinkId: string, sample: NewSample): Promise<SaveSampleResult>;
  /** The run is again subject to retention. False: it is no sample of the sink. */
  deleteSample(sinkId: string, runId: string): Promise<boolean>;
  /** Returns all samples of a sink, the newest run first. */
  listSamples(sinkId: string): Promise<Sample[]>;
}
