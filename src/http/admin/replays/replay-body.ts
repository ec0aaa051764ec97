// Parses how runs are replayed: the mode and the version of the workflow.

import { refuseFaults } from '../../../core/fault.ts';
import { REPLAY_MODES, REPLAY_VERSIONS, type ReplayMode, type ReplayVersion } from '../../../core/run/replay.ts';
import { createSchemaCheck } from '../../../core/schema.ts';

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

export const replaySchema = { type: 'object', additionalProperties: false, properties: replayProperties };

interface ReplayBody {
  mode?: ReplayMode;
  version?: ReplayVersion;
}

const checkBody = createSchemaCheck(replaySchema);

/** No body means a live replay. Throws `invalid`. */
export function readReplayBody(body: unknown): ReplayBody & { mode: ReplayMode } {
  refuseFaults('the body', checkBody(body ?? {}));
  const { mode = 'live', ...rest } = (body ?? {}) as ReplayBody;
  return { mode, ...rest };
}
