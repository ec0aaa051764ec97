// A replay: a run of an earlier run's request. Its mode decides what the run does again.

/**
 * `live` does everything again. `dry` records its messages and sends none. `from_failed_step` keeps the steps that the
 * earlier run has ended.
 */
export const REPLAY_MODES = ['live', 'dry', 'from_failed_step'] as const;
export type ReplayMode = (typeof REPLAY_MODES)[number];

/** The version of the workflow: that of the sink now, or that of the earlier run. */
export const REPLAY_VERSIONS = ['current', 'original'] as const;
export type ReplayVersion = (typeof REPLAY_VERSIONS)[number];

export const JOB_STATUSES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;

export const POISONED_JOB = {
  code: 'poisoned',
  message: 'the server died three times while it replayed the runs that follow this one; replay the runs after them by a new job',
};

/** As it is stored with the run. */
export interface Replay {
  /** The id of the earlier run. */
  of: string;
  mode: ReplayMode;
  /** The job that replays it; null if a caller did. */
  jobId: string | null;
}

/** A run that keeps steps goes on with the version that they belong to. */
export function defaultVersion(mode: ReplayMode): ReplayVersion {
  return mode === 'from_failed_step' ? 'original' : 'current';
}
