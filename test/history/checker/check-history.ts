// Checks a history against the final state by all rules. Pure.

import type { FinalState, History, Violation } from '../history.ts';
import { currentVersions, explainedVersions, staleEdits } from './definition-rules.ts';
import { askedAttempts, finishedDeliveries, lastingEnds, oneMessage, retriesByHand } from './delivery-rules.ts';
import { cooldowns, linearMemory } from './memory-rules.ts';
import { indexRuns } from './run-index.ts';
import {
  acknowledgedRuns,
  agreeingAnswers,
  cancelledRuns,
  completeLists,
  documentedRefusals,
  endedOnce,
  idempotencyKeys,
  runsOfRequests,
  sameEvents,
  wholeStreams,
} from './run-rules.ts';

const RUN_RULES = [
  acknowledgedRuns,
  runsOfRequests,
  idempotencyKeys,
  endedOnce,
  sameEvents,
  wholeStreams,
  agreeingAnswers,
  cancelledRuns,
  completeLists,
  documentedRefusals,
  linearMemory,
  cooldowns,
];
const STATE_RULES = [
  oneMessage,
  finishedDeliveries,
  askedAttempts,
  retriesByHand,
  lastingEnds,
  explainedVersions,
  currentVersions,
  staleEdits,
];

/** Returns each violation; none if the history is one that the documents allow. */
export function checkHistory(history: History, state: FinalState): Violation[] {
  const index = indexRuns(history, state);
  return [...RUN_RULES.flatMap((rule) => rule(history, index)), ...STATE_RULES.flatMap((rule) => rule(history, state, index))];
}
