// Replies: each is stored once, and makes the run due that waits for it.

import { isDecided, isTerminal } from '../../../../src/core/run/run.ts';
import type { FoundReply, NewReply, StoreReplyResult } from '../../../../src/storage/reply-records.ts';
import type { ClaimedRun, StepRecord } from '../../../../src/storage/runs/run-records.ts';
import type { StoredRun } from '../records.ts';
import { findRun, type State } from '../state.ts';
import { wake } from './make-due.ts';

export function storeReply(state: State, { runId, replyId, choice, body }: NewReply): StoreReplyResult {
  const run = findRun(state, runId);
  if (run === undefined) return { kind: 'ended' };
  const earlier = run.replies.get(replyId);
  if (earlier !== undefined)
    return earlier.choice === choice && earlier.body === body ? { kind: 'stored' } : { kind: 'taken', choice: earlier.choice };
  if (isTerminal(run.status)) return { kind: 'ended' };
  run.replies.set(replyId, { kind: 'replied', choice, body, at: state.clock() });
  if (state.broken !== 'lost-wake-up' && repliesOf(run).length > 0) wake(state, run);
  return { kind: 'stored' };
}

export function findReply(state: State, runId: string, replyId: string): FoundReply | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  const { appId, workflow, status, replies } = run;
  return { appId, workflow, isOver: isTerminal(status), choice: replies.get(replyId)?.choice ?? null };
}

/** The stored replies, for the steps that still wait for them. */
export function repliesOf({ steps, replies }: StoredRun): ClaimedRun['results'] {
  return [...steps.values()].flatMap(({ step, visit, status, awaits }) => {
    const reply = status === 'waiting' && awaits !== null ? replies.get(awaits) : undefined;
    return reply === undefined ? [] : [{ step, visit, result: reply }];
  });
}

/** Whether the visit ends without a reply that it waited for and that is stored. */
export function missesReply({ replies }: StoredRun, { status, awaits }: StepRecord): boolean {
  return isDecided(status) && awaits !== null && replies.has(awaits);
}
