// Parses how runs are replayed: the mode and the version of the workflow.

import { refuseFaults } from '../../../core/fault.ts';
import { REPLAY_MODES, REPLAY_VERSIONS, type ReplayMode, type ReplayVersion } from '../../../core/run/replay.ts';
import { createSchemaCheck } from '../../../core/schema.ts';
import { AppError } from '../../../errors.ts';
import type { ReplayOrder } from '../../../replays/replayer.ts';

export const replayProperties = {
  mode: {
    enum: REPLAY_MODES,
    default: 'live',
    description: 'must be "live", "dry" (messages are recorded and not sent) or "from_failed_step" (what had ended is not done again)',
  },
  version: {
    enum: REPLAY_VERSIONS,
    description:
      'must be "current" or "original", the version of the workflow; by default "original" with "from_failed_step", else "current"',
  },
};

export const replaySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...replayProperties,
    workflow_id: {
      type: 'string',
      minLength: 1,
      maxLength: 128,
      description: 'must be a workflow of the app, which a run with the mode "dry" tries instead of that of the sink',
    },
  },
};

interface ReplayBody {
  mode?: ReplayMode;
  version?: ReplayVersion;
  workflow_id?: string;
}

const checkBody = createSchemaCheck(replaySchema);

/** No body means a live replay. Throws `invalid`. */
export function readReplayBody(body: unknown): Omit<ReplayOrder, 'jobId'> {
  refuseFaults('the body', checkBody(body ?? {}));
  const { mode = 'live', version, workflow_id: workflowId } = (body ?? {}) as ReplayBody;
  if (workflowId !== undefined && (mode !== 'dry' || version !== undefined))
    throw new AppError('invalid', 'workflow_id: stands with "mode": "dry" and without "version"; its current version runs');
  return { mode, ...(version === undefined ? {} : { version }), ...(workflowId === undefined ? {} : { workflowId }) };
}
