// Parses the order of a job. A filter that selects everything is refused, so that a slip does not replay all runs.

import { refuseFaults } from '../../../core/fault.ts';
import { defaultVersion, type ReplayMode, type ReplayVersion } from '../../../core/run/replay.ts';
import { ENDED_STATUSES } from '../../../core/run/run.ts';
import { createSchemaCheck } from '../../../core/schema.ts';
import { AppError } from '../../../errors.ts';
import type { JobOrder } from '../../../replays/replay-jobs.ts';
import { readTime } from '../shared/read-time.ts';
import { replayProperties } from './replay-body.ts';

const id = { type: 'string', minLength: 1, maxLength: 200 };
const time = (which: string) => ({ type: 'string', maxLength: 64, description: `ISO 8601 time; runs created ${which}` });

export const jobSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['action', 'filter'],
  properties: {
    action: { enum: ['replay'], description: 'must be "replay"' },
    filter: {
      type: 'object',
      additionalProperties: false,
      properties: {
        app_id: id,
        sink_id: id,
        status: {
          enum: ENDED_STATUSES,
          description: 'must be "completed", "failed" or "cancelled"; only runs that have ended are replayed',
        },
        since: time('then or later'),
        until: time('before'),
      },
    },
    ...replayProperties,
    rate_per_second: { type: 'integer', minimum: 1, maximum: 1000, default: 20, description: 'must be a whole number from 1 to 1000' },
    preview: { type: 'boolean', default: false, description: 'must be true or false; true only counts the runs' },
  },
};

interface JobBody {
  filter: { app_id?: string; sink_id?: string; status?: (typeof ENDED_STATUSES)[number]; since?: string; until?: string };
  mode?: ReplayMode;
  version?: ReplayVersion;
  rate_per_second?: number;
  preview?: boolean;
}

const checkBody = createSchemaCheck(jobSchema);

/** Throws `invalid`. */
export function readJobBody(body: unknown): { order: JobOrder; isPreview: boolean } {
  refuseFaults('the body', checkBody(body ?? {}));
  const { filter, mode = 'live', version = defaultVersion(mode), rate_per_second: rate = 20, preview: isPreview = false } = body as JobBody;
  if (Object.keys(filter).length === 0)
    throw new AppError(
      'invalid',
      'filter: selects no runs; name "app_id", "sink_id", "status", "since" or "until", such as {"status":"failed"}',
    );
  return { order: { runs: readFilter(filter, mode), mode, version, ratePerSecond: rate }, isPreview };
}

function readFilter({ app_id: appId, sink_id: sinkId, status, since, until }: JobBody['filter'], mode: ReplayMode): JobOrder['runs'] {
  const isFromFailed = mode === 'from_failed_step';
  if (isFromFailed && status !== undefined && status !== 'failed')
    throw new AppError('invalid', `filter.status: must be "failed" with the mode "from_failed_step", and is "${status}"`);
  const selected = isFromFailed ? 'failed' : status;
  return {
    ...(appId === undefined ? {} : { appId }),
    ...(sinkId === undefined ? {} : { sinkId }),
    ...(selected === undefined ? {} : { status: selected }),
    ...(since === undefined ? {} : { since: readTime('filter.since', since) }),
    ...(until === undefined ? {} : { until: readTime('filter.until', until) }),
  };
}
