// Results of the storage that are no new run: the earlier run of an idempotency key, or an error for the caller.

import type { WorkflowVersion } from '../../core/workflow/plan.ts';
import { AppError } from '../../errors.ts';
import type { CreateRunResult, CreateRunsResult } from '../../storage/runs/run-records.ts';
import type { Dispatched, SharedRequest, Trigger } from './trigger.ts';

export function joinEarlier({ runId, sameRequest }: Extract<CreateRunResult, { kind: 'duplicate' }>, key: string): Dispatched {
  if (sameRequest) return { runId, events: [], answer: null, ended: null, isDuplicate: true, isQueued: false };
  throw new AppError('unprocessable', conflictOf(key), { reason: 'key_reused', details: { run_id: runId } });
}

/** Throws for another request with the same key. */
export function joinRequest({ runIds, sameRequest }: NonNullable<CreateRunsResult['earlier']>, key: string): Dispatched[] {
  return runIds.map((runId) => joinEarlier({ kind: 'duplicate', runId, sameRequest }, key));
}

/** A key of the header contains no space; any other key is made from what the sender signed. */
function conflictOf(key: string): string {
  if (key.startsWith('signed ')) return 'the signature of this request was used before with another body';
  return `Idempotency-Key "${key}" was used before with another request; use a new key for a new request`;
}

/** Throws the error with the position of its trigger, unless the triggers are those of one request. */
export function rethrowOf(item: number, error: unknown, shared?: SharedRequest): never {
  if (!(error instanceof AppError) || shared !== undefined) throw error;
  const { code, message, details, reason, retryAfterSeconds } = error;
  throw new AppError(code, `item ${item}: ${message}`, {
    reason,
    details: { ...details, item },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Throws for a key that was used with another request; any other runs can be planned again. */
export function refuseReusedKey(results: readonly CreateRunResult[], triggers: readonly Trigger<WorkflowVersion>[]): null {
  for (const [item, result] of results.entries()) {
    if (result.kind !== 'duplicate' || result.sameRequest) continue;
    try {
      joinEarlier(result, triggers[item]?.idempotency?.key ?? '');
    } catch (error) {
      rethrowOf(item, error);
    }
  }
  return null;
}
