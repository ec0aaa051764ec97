// The typed payload of a stage: from its manifest, or else from the request.

import { isDict } from '../../core/python/kind.ts';
import type { StepContext } from '../step-type.ts';

export function stagePayload({ payload }: { payload?: unknown }, { roots }: Pick<StepContext, 'roots'>): unknown {
  if (payload !== undefined) return payload;
  const request = roots['request'];
  return isDict(request) ? (request['payload'] ?? null) : null;
}

/** The fault of a step that requires a typed payload. */
export const NO_PAYLOAD = 'is not a typed payload; set "payload": "v7" on the sink, and select $request.payload';
